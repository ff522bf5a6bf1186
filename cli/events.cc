// steerd events: transitions and orders of the running server, one line each as they happen, until
// it is interrupted or the server ends. `--json`: one object a line.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>

#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/json.h"

namespace steerd::cli {

namespace {

std::string words(const Json& event) {
    const auto get = [&](const char* key) { return event.value(key, std::string()); };
    std::string out = get("at") + " " + get("kind");
    if (get("kind") == "missed") {
        return fmt::format("{} events were missed", event.value("count", 0));
    }
    for (const char* key : {"name", "address", "judge"}) {
        if (!get(key).empty()) {
            out += " " + get(key);
        }
    }
    if (!get("from").empty()) {
        out += fmt::format(": {} -> {}", get("from"), get("state"));
    } else if (!get("state").empty()) {
        out += ": " + get("state");
    }
    for (const char* key : {"cause", "reason"}) {
        if (!get(key).empty()) {
            out += fmt::format(" ({})", get(key));
        }
    }
    if (!get("until").empty()) {
        out += " until " + get("until");
    }
    if (!get("who").empty()) {
        out += " by " + get("who");
    }
    return out;
}

}  // namespace

int run_events(const Args& args) {
    args.expect_positional(0);
    std::string path = "/api/v1/events";
    const std::string last =
        args.value("--last").value_or(args.has("--no-follow") ? "10000" : "10");
    std::uint64_t count = 0;
    const auto read = std::from_chars(last.data(), last.data() + last.size(), count);
    if (read.ec != std::errc{} || read.ptr != last.data() + last.size()) {
        throw UsageError(fmt::format("bad --last \"{}\": wants a number", last));
    }
    path += fmt::format("?last={}&follow={}", count, !args.has("--no-follow"));
    const bool as_json = args.has("--json");
    const AdminClient client(args);
    client.follow(path, [&](std::string_view line) {
        constexpr std::string_view kData = "data: ";
        if (!line.starts_with(kData)) {
            return;
        }
        line.remove_prefix(kData.size());
        if (as_json) {
            fmt::print("{}\n", line);
        } else if (const auto event = Json::parse(line, nullptr, false); event.is_object()) {
            fmt::print("{}\n", words(event));
        }
        std::fflush(stdout);
    });
    if (!args.has("--no-follow")) {
        throw Failure(fmt::format("the server at {} has ended the stream", client.address()));
    }
    return kOk;
}

}  // namespace steerd::cli
