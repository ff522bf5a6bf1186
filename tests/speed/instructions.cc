// Runs N and then 2N queries of each kind between marks of callgrind, which counts instructions:
// the difference of the two is what N queries cost, with nothing of the loop's start in it.
// Outside callgrind it does the same and counts nothing. `test_instructions.py` runs it.
//   speed_instructions N KIND...
// KIND-ahead is what reading ahead costs for queries of the kind, in batches as the server has
// them. All hash seeds are fixed here: where a name falls in its table must not differ between
// runs.
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

using steerd::speed::Kind;
using steerd::speed::Scenes;

constexpr std::string_view kAhead = "-ahead";

std::size_t run_ahead(const Scenes& scenes, const Kind& kind, std::size_t count) {
    std::size_t names = 0;
    const std::string title = fmt::format("{}{} {}", kind.name, kAhead, count);
    CALLGRIND_ZERO_STATS;
    CALLGRIND_START_INSTRUMENTATION;
    for (std::size_t i = 0; i < count; i += Scenes::kBatch) {
        names += scenes.read_ahead(kind, i).names;
    }
    CALLGRIND_DUMP_STATS_AT(title.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
    return names;
}

std::size_t run(Scenes& scenes, const Kind& kind, std::size_t count) {
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
    Scenes scenes;
    const std::string complaints = scenes.complaints();
    if (!complaints.empty()) {
        fmt::print(stderr, "{}", complaints);
        return 1;
    }
    fmt::print("compiler {}\n", __VERSION__);
    for (int i = 2; i < argc; ++i) {
        std::string_view name = argv[i];
        const bool ahead = name.ends_with(kAhead);
        name.remove_suffix(ahead ? kAhead.size() : 0);
        const Kind* const kind = scenes.find(name);
        if (kind == nullptr) {
            fmt::print(stderr, "no kind {}\n", argv[i]);
            return 2;
        }
        const auto once = [&](std::size_t n) {
            return ahead ? run_ahead(scenes, *kind, n) : run(scenes, *kind, n);
        };
        fmt::print("{} {}\n", argv[i], once(count) + once(2 * count));
    }
    return 0;
}
