// steerd status: the running server at a glance: endpoints with health, cause and orders; what
// drains and when it is safe to stop; holds; names that nobody serves; what was wrong at the last
// load. Colours on a terminal (NO_COLOR turns them off). --watch follows.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/status_text.h"

namespace steerd::cli {

namespace {

constexpr auto kBetween = std::chrono::seconds(1);
/// Written over, not wiped: no flicker, and what stood on the terminal before stays to scroll to.
constexpr std::string_view kHome = "\033[H";
constexpr std::string_view kRestOfLine = "\033[K\n";
constexpr std::string_view kRestOfScreen = "\033[J";

std::string written_over(std::string_view text) {
    std::string out(kHome);
    for (const char c : text) {
        if (c == '\n') {
            out += kRestOfLine;
        } else {
            out += c;
        }
    }
    return out.append(kRestOfScreen);
}

bool on_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

bool with_colours() {
    const char* term = std::getenv("TERM");
    return on_terminal() && std::getenv("NO_COLOR") == nullptr && term != nullptr &&
           std::string_view(term) != "dumb";
}

void print(const Args& args, const Json& status, bool follows) {
    if (args.has("--json")) {
        // Followed: one status a line.
        fmt::print("{}\n",
                   status.dump(follows ? -1 : 2, ' ', false, Json::error_handler_t::replace));
    } else {
        const std::string text = status_text(status, with_colours());
        fmt::print("{}", follows && on_terminal() ? written_over(text) : text);
    }
    std::fflush(stdout);
}

/// What `drain`, `up`, `down` and `release` take.
void print_names(const Json& status) {
    for (const auto& [list, prefix] : {std::pair{"endpoints", ""}, std::pair{"regions", "region:"},
                                       std::pair{"routes", "route:"}}) {
        for (const auto& one : status.at(list)) {
            fmt::print("{}{}\n", prefix, one.value("name", ""));
        }
    }
}

/// Until it is interrupted; a server that goes away for a while is waited for.
[[noreturn]] void watch(const Args& args, const AdminClient& client) {
    for (bool first = true;; first = false) {
        try {
            print(args, client.get("/api/v1/status"), true);
        } catch (const Failure& failure) {
            if (first) {
                throw;
            }
            const std::string text = fmt::format("{}\n", failure.what());
            const bool over = on_terminal() && !args.has("--json");
            fmt::print(stderr, "{}", over ? written_over(text) : text);
        }
        std::this_thread::sleep_for(kBetween);
    }
}

}  // namespace

int run_status(const Args& args) {
    args.expect_positional(0);
    const AdminClient client(args);
    if (args.has("--names")) {
        print_names(client.get("/api/v1/status"));
        return kOk;
    }
    if (args.has("--watch")) {
        watch(args, client);
    }
    print(args, client.get("/api/v1/status"), false);
    return kOk;
}

}  // namespace steerd::cli
