// Any text as a drill's scenario: problems have a place, and what is read is within its bounds.
// Thread rule: one thread.
#include "drill/scenario.h"

#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace steerd;  // NOLINT: one function
    const fuzz::Input input(data, size);
    const drill::ReadScenario read = drill::read_scenario_text(input.text(), "scenario.toml");
    for (const base::Problem& problem : read.problems.all()) {
        fuzz::require(!problem.message.empty(), "a problem says what it is");
    }
    if (read.problems.has_errors()) {
        return 0;
    }
    fuzz::require(read.scenario.duration > base::Duration{}, "a drill lasts");
    for (std::size_t i = 1; i < read.scenario.events.size(); ++i) {
        fuzz::require(read.scenario.events[i - 1].at <= read.scenario.events[i].at,
                      "events are in order");
    }
    static_cast<void>(drill::location_networks(read.scenario));
    return 0;
}
