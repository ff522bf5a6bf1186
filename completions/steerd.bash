# bash completion for steerd. Commands and options come from `steerd help` itself, so that they are
# always those of the installed version; names to order come from the running server where one
# answers at once, else from the configuration.

_steerd_commands() {
    steerd help 2>/dev/null | sed -n -e '/^  steerd /d' -e 's/^  \([a-z][a-z]*\)  *[a-z].*/\1/p'
    echo help
}

_steerd_options() {
    steerd help "$1" 2>/dev/null | grep -oE -- '--[a-z][a-z-]*|(^|[^a-z-])-c\b' |
        sed 's/^[^-]*//' | sort -u
    echo --help
}

# Endpoints and regions of the configuration that the command line names, else of the usual one.
_steerd_names() {
    local file=$1 candidate
    for candidate in steerd.toml /etc/steerd/steerd.toml; do
        [[ -n $file ]] || { [[ -r $candidate ]] && file=$candidate; }
    done
    [[ -r $file ]] || return 0
    sed -n -e 's/^[[:space:]]*\[endpoints\.\("\{0,1\}\)\([^]"]*\)\1\].*/\2/p' \
        -e 's/^[[:space:]]*\[regions\.\("\{0,1\}\)\([^]"]*\)\1\].*/region:\2/p' \
        -e "$2" "$file"
}

# What the running server can be ordered by name, else what the configuration has.
_steerd_orderable() {
    local config=$1 admin=$2 sed=$3 live
    if live=$(timeout 2 steerd status --names ${config:+-c "$config"} ${admin:+--admin "$admin"} 2>/dev/null); then
        if [[ -n $sed ]]; then echo "$live"; else grep -v ^route: <<<"$live"; fi
    else
        _steerd_names "$config" "$sed"
    fi
}

_steerd() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} line=$COMP_LINE
    local command=${COMP_WORDS[1]} config= admin= i words=
    # bash takes words apart at ":"; the line is what counts.
    cur=${line:0:COMP_POINT}
    cur=${cur##*[[:space:]]}
    prev=${line:0:COMP_POINT-${#cur}}
    read -ra i <<<"$prev"
    prev=${i[-1]}
    COMPREPLY=()
    for ((i = 1; i < ${#COMP_WORDS[@]} - 1; i++)); do
        case ${COMP_WORDS[i]} in
            -c | --config) config=${COMP_WORDS[i + 1]} ;;
            --admin)
                read -ra words <<<"${line#*--admin }"
                admin=${words[0]} words= ;;
        esac
    done
    if [[ $prev == steerd || $prev == */steerd || $prev == help ]]; then
        words=$(_steerd_commands)
        [[ $prev == help ]] || words+=" --version"
    else
        case $prev in
            -c | --config | --html | --demand | --config-after | --token-file)
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                return ;;
            --json)
                if [[ $command == drill ]]; then
                    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                    return
                fi ;;
            --down) words=$(_steerd_names "$config" '') ;;
            --for) words="5m 30m 1h 1d" ;;
            --client | --draw | --admin | --reason | --threads | --seed | --sweep | --name | --last | --or-signal)
                return ;;
        esac
        if [[ -z $words && $cur == -* ]]; then
            words=$(_steerd_options "$command")
        elif [[ -z $words ]]; then
            case $command in
                drain | up | down) words=$(_steerd_orderable "$config" "$admin" '') ;;
                release) words=$(_steerd_orderable "$config" "$admin" \
                    's/^[[:space:]]*\[routes\.\("\{0,1\}\)\([^]"]*\)\1\].*/route:\2/p') ;;
                drill | latency)
                    compopt -o filenames 2>/dev/null
                    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                    return ;;
                explain) words="A AAAA" ;;
            esac
        fi
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    # What stands before the last ":" is on the line already.
    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${cur%:*}:"}")
    fi
}

complete -F _steerd steerd
