#include "server/restore.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <system_error>

#include "server/log.h"

namespace steerd::server {

std::filesystem::path state_file(const std::filesystem::path& state_dir) {
    return state_dir / "state.json";
}

std::optional<control::State> restore_state(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
        log(LogLevel::Error, fmt::format("cannot make state_dir {}: {}; going on in memory only",
                                         folder.string(), error.message()));
        return std::nullopt;
    }
    const auto file = state_file(folder);
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        return std::nullopt;  // the first start here
    }
    std::ostringstream text;
    text << in.rdbuf();
    auto state = control::state_from_json(text.str());
    if (!state) {
        auto aside = file;
        aside += ".bad";
        std::filesystem::rename(file, aside, error);
        log(LogLevel::Error, fmt::format("{} cannot be used ({}); kept as {}, starting without",
                                         file.string(), state.error(), aside.string()));
        return std::nullopt;
    }
    return std::move(*state);
}

}  // namespace steerd::server
