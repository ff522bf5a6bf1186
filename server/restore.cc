#include "server/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include "server/log.h"

namespace steerd::server {

namespace {

/// Kept beside, since the next write would replace it and with it what an operator ordered.
void set_aside(const std::filesystem::path& file, std::string why) {
    std::replace_if(
        why.begin(), why.end(), [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
    auto aside = file;
    aside += ".bad";
    std::error_code error;
    std::filesystem::rename(file, aside, error);
    log(LogLevel::Error,
        fmt::format(
            "{} cannot be used ({}); {}, starting without", file.string(), why,
            error ? "it stays where it is: " + error.message() : "kept as " + aside.string()));
}

}  // namespace

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
    if (!std::filesystem::exists(file, error) && !error) {
        return std::nullopt;  // the first start here
    }
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        set_aside(file, std::strerror(errno));
        return std::nullopt;
    }
    std::ostringstream text;
    text << in.rdbuf();
    auto state = control::state_from_json(text.str());
    if (!state) {
        set_aside(file, state.error());
        return std::nullopt;
    }
    return std::move(*state);
}

}  // namespace steerd::server
