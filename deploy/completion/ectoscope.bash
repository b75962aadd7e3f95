# bash completion for ectoscope(1); zsh takes it too: autoload -U bashcompinit && bashcompinit && source THIS.
# What a command takes is asked of its own --help, so it is never out of date.

_ectoscope_options() { # COMMAND...
  ectoscope "$@" --help 2>/dev/null | sed -n 's/^  \(-h,\)\{0,1\}\(--[a-z][a-z.-]*\).*/\2/p'
}

_ectoscope_commands() { # COMMAND...
  ectoscope "$@" --help 2>/dev/null | sed -n '/^Subcommands:/,$s/^  \([a-z][a-z-]*\) .*/\1/p'
}

_ectoscope() {
  local word=${COMP_WORDS[COMP_CWORD]} option='' values='' command=() i
  # bash splits --option=value at the equals sign.
  if [ "$word" = '=' ]; then
    option=${COMP_WORDS[COMP_CWORD - 1]} word=''
  elif [ "${COMP_WORDS[COMP_CWORD - 1]}" = '=' ]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  else
    option=${COMP_WORDS[COMP_CWORD - 1]}
  fi
  for ((i = 1; i < COMP_CWORD && i < 3; i++)); do
    case ${COMP_WORDS[i]} in
      -*) break ;;
      analyze | serve | demo | doctor | version) command+=("${COMP_WORDS[i]}") && break ;;
      *) command+=("${COMP_WORDS[i]}") ;;
    esac
  done
  case $option in
    --format) values='auto stderr csvlog jsonlog cnpg cloudsql rds syslog journald' ;;
    --output) values='text json sarif junit markdown html' ;;
    --fail-on) values='none info warning critical' ;;
    --log.format) values='logfmt json' ;;
    --log.level) values='debug info warn error' ;;
    *)
      case $word in
        -*) values=$(_ectoscope_options "${command[@]}") ;;
        *)
          if [ ${#command[@]} -eq 0 ] || { [ "${command[*]}" = check ] && [ "$COMP_CWORD" -eq 2 ]; }; then
            values=$(_ectoscope_commands "${command[@]}")
          fi
          ;;
      esac
      ;;
  esac
  # shellcheck disable=SC2207
  COMPREPLY=($(compgen -W "$values" -- "$word"))
  if [ -z "$values" ]; then
    # shellcheck disable=SC2207
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}

complete -o filenames -F _ectoscope ectoscope
