// Runs N and then 2N queries of each kind between marks of callgrind, which counts instructions:
// the difference of the two is what N queries cost, with nothing of the loop's start in it.
// Outside callgrind it does the same and counts nothing. `test_instructions.py` runs it.
//   speed_instructions N KIND...
// All hash seeds are fixed here: where a name falls in its table must not differ between runs.
#include <fmt/format.h>
#include <sys/types.h>
#include <valgrind/callgrind.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "scenes.h"

// In place of the C library's: the seeds of the zone's tables come from here.
extern "C" ssize_t getrandom(void* into, std::size_t size, unsigned /*flags*/) {
    std::memset(into, 0x5A, size);
    return static_cast<ssize_t>(size);
}

namespace {

std::size_t run(steerd::speed::Scenes& scenes, const steerd::speed::Kind& kind, std::size_t count) {
    std::size_t octets = 0;
    const std::string title = fmt::format("{} {}", kind.name, count);  // must outlive the mark
    CALLGRIND_ZERO_STATS;
    CALLGRIND_START_INSTRUMENTATION;
    for (std::size_t i = 0; i < count; ++i) {
        octets += scenes.ask(kind, i).size;
    }
    CALLGRIND_DUMP_STATS_AT(title.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
    return octets;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t count = argc > 2 ? std::strtoul(argv[1], nullptr, 10) : 0;
    if (count == 0) {
        fmt::print(stderr, "usage: speed_instructions N KIND...\n");
        return 2;
    }
    steerd::speed::Scenes scenes;
    const std::string complaints = scenes.complaints();
    if (!complaints.empty()) {
        fmt::print(stderr, "{}", complaints);
        return 1;
    }
    fmt::print("compiler {}\n", __VERSION__);
    for (int i = 2; i < argc; ++i) {
        const steerd::speed::Kind* const kind = scenes.find(argv[i]);
        if (kind == nullptr) {
            fmt::print(stderr, "no kind {}\n", argv[i]);
            return 2;
        }
        fmt::print("{} {}\n", kind->name,
                   run(scenes, *kind, count) + run(scenes, *kind, 2 * count));
    }
    return 0;
}
