// What the kernel says about this process, for the process_* metrics that every exporter has.
// Linux's /proc. Thread rule: any thread.
#pragma once

#include <optional>

namespace steerd::admin {

struct ProcessFacts {
    double cpu_seconds = 0;
    double resident_bytes = 0;
    double virtual_bytes = 0;
    double start_time = 0;  // seconds since 1970
    double threads = 0;
    double open_fds = 0;
    double max_fds = 0;
};

/// nullopt where /proc does not tell.
[[nodiscard]] std::optional<ProcessFacts> process_facts();

}  // namespace steerd::admin
