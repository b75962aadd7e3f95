# The Debian package: `cpack -G DEB` in the build folder.  What only the package has is in the component
# "system", whose paths are absolute, so that `cmake --install` does not touch them.
include(GNUInstallDirs)

set(deploy ${PROJECT_SOURCE_DIR}/deploy)

add_custom_command(
  OUTPUT ${PROJECT_BINARY_DIR}/ectoscope.1.gz
  COMMAND gzip -9nc ${deploy}/man/ectoscope.1 > ectoscope.1.gz
  DEPENDS ${deploy}/man/ectoscope.1
  WORKING_DIRECTORY ${PROJECT_BINARY_DIR} VERBATIM)
add_custom_target(ectoscope_man ALL DEPENDS ${PROJECT_BINARY_DIR}/ectoscope.1.gz)
add_dependencies(ectoscope ectoscope_man)

install(FILES ${PROJECT_BINARY_DIR}/ectoscope.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${deploy}/completion/ectoscope.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ectoscope)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/SECURITY.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${deploy}/ecto ${deploy}/ci ${deploy}/postgresql ${deploy}/prometheus ${deploy}/alertmanager
        ${deploy}/grafana DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES ${deploy}/systemd/ectoscope.service DESTINATION /lib/systemd/system COMPONENT system EXCLUDE_FROM_ALL)
install(FILES ${deploy}/debian/ectoscope.yaml DESTINATION /etc/ectoscope COMPONENT system EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ectoscope)
set(CPACK_PACKAGE_VENDOR ectoscope)
set(CPACK_PACKAGE_CONTACT "ectoscope's authors <ectoscope@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_CMAKE_PROJECTS
  "${PROJECT_BINARY_DIR};ectoscope;Unspecified;/;${PROJECT_BINARY_DIR};ectoscope;system;/")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS passwd)  # postinst's useradd
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "${PROJECT_DESCRIPTION}
 Reads PostgreSQL's log, auto_explain's plans and pg_stat_statements, and reports
 N+1 queries, missing indexes, slow and locked statements, with the change to the
 Elixir code that mends each.  No agent in the application, no proxy.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${deploy}/debian/postinst ${deploy}/debian/prerm ${deploy}/debian/postrm ${deploy}/debian/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
