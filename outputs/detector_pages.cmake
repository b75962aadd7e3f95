# cmake -DFOLDER=... -DOUTPUT=... -P detector_pages.cmake: every page of FOLDER as a C++ table.
file(GLOB files RELATIVE ${FOLDER} ${FOLDER}/*.md)
list(SORT files)
set(arrays "")
set(table "")
set(number 0)
foreach(name IN LISTS files)
  file(READ ${FOLDER}/${name} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  get_filename_component(kind ${name} NAME_WE)
  string(APPEND arrays "constexpr char kPage${number}[] = {${bytes}};\n")
  string(APPEND table "    {\"${kind}\", {kPage${number}, sizeof kPage${number}}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUTPUT}
  "// Written by outputs/detector_pages.cmake from docs/detectors/.\n#include \"outputs/detector_page_table.h\"\n\n"
  "#include <array>\n\nnamespace ectoscope {\nnamespace {\n\n${arrays}\n"
  "constexpr std::array<DetectorPage, ${number}> kPages = {{\n${table}}};\n\n"
  "}  // namespace\n\nstd::span<const DetectorPage> detector_pages() {\n  return kPages;\n}\n\n}  // namespace ectoscope\n")
