# fish completion for steerd: commands and options come from `steerd help` itself, names to order from
# the running server where one answers at once, else from the configuration.

function __steerd_commands
    steerd help 2>/dev/null | string match -v -- '  steerd *' | string replace -rf '^  ([a-z]+) +([a-z].*)$' '$1\t$2'
end

function __steerd_options
    set -l words (commandline -opc)
    steerd help $words[2] 2>/dev/null | string match -rag -- '(--[a-z][a-z-]*)' | sort -u
    echo --help
end

function __steerd_names
    for file in steerd.toml /etc/steerd/steerd.toml
        if test -r $file
            string replace -rf '^\s*\[endpoints\."?([^]"]*)"?\].*' '$1' <$file
            string replace -rf '^\s*\[regions\."?([^]"]*)"?\].*' 'region:$1' <$file
            return
        end
    end
end

function __steerd_orderable
    set -l words (commandline -opc)
    set -l asked
    for i in (seq 2 (math (count $words) - 1))
        switch $words[$i]
            case -c --config
                set -a asked -c $words[(math $i + 1)]
            case --admin
                set -a asked --admin $words[(math $i + 1)]
        end
    end
    if set -l live (timeout 2 steerd status --names $asked 2>/dev/null)
        contains release $words; or set live (string match -v 'route:*' -- $live)
        string join \n -- $live
    else
        __steerd_names
    end
end

complete -c steerd -f
complete -c steerd -n __fish_use_subcommand -a '(__steerd_commands)'
complete -c steerd -n __fish_use_subcommand -a help -d 'tell more of a command'
complete -c steerd -n '__fish_seen_subcommand_from help' -a '(__steerd_commands)'
complete -c steerd -n 'not __fish_use_subcommand; and string match -q -- "-*" (commandline -ct)' -a '(__steerd_options)'
complete -c steerd -n '__fish_seen_subcommand_from drain up down release' -a '(__steerd_orderable)'
complete -c steerd -n '__fish_seen_subcommand_from drill latency' -F
complete -c steerd -n 'not __fish_use_subcommand' -s c -l config -r -F
