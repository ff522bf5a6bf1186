// Any text as a configuration: all problems come with a place inside the text, and what loads can
// be compiled into a plan over an empty world. Thread rule: one thread.
#include <algorithm>

#include "config/load.h"
#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace steerd;  // NOLINT: one function
    const fuzz::Input input(data, size);
    const auto text = input.text();
    const auto lines = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    const config::Loaded loaded = config::load_text(text, "steerd.toml");
    for (const base::Problem& problem : loaded.problems.all()) {
        fuzz::require(!problem.message.empty(), "a problem says what it is");
        fuzz::require(problem.at.line <= lines + 1, "a problem's line is in the text");
    }
    fuzz::require(loaded.model || loaded.problems.has_errors(), "no model without an error");
    if (loaded.model) {
        for (std::uint32_t i = 0; i < loaded.model->routes.size(); ++i) {
            static_cast<void>(config::endpoints_under(*loaded.model, config::RouteId{i}));
        }
    }
    return 0;
}
