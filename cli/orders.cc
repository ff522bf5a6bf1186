// steerd drain, up, down, release: orders to the running server (product.md §2). They return when
// the next query obeys and the order is on disk.
#include <fmt/format.h>

#include <string>

#include "base/text.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/json.h"

namespace steerd::cli {

namespace {

std::string path_of(const std::string& name) {
    return "/api/v1/overrides/" + AdminClient::escaped(name);
}

void tell(const Args& args, const AdminAnswer& answer) {
    if (answer.status != 200) {
        throw Failure(error_of(answer));
    }
    if (args.has("--json")) {
        fmt::print("{}\n", answer.json.dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
        fmt::print("{}\n", answer.json.value("message", "done"));
    }
}

/// What a drain waits for: of a region, of the endpoint that takes longest.
void tell_when_safe(const AdminClient& client, const std::string& name) {
    const auto status = client.get("/api/v1/status");
    std::string caches;
    std::string safe;
    for (const auto& endpoint : status.at("endpoints")) {
        const auto& drain = endpoint.at("drain");
        if (!drain.is_object() || endpoint.at("override").value("of", "") != name) {
            continue;
        }
        caches = std::max(caches, drain.value("caches_let_go", ""));
        safe = std::max(safe, drain.value("safe_to_stop", ""));
    }
    if (!safe.empty()) {
        fmt::print(
            "caches that keep to the TTL let go at {}; safe to stop at {} (99 % of clients "
            "gone); `steerd status` follows it\n",
            caches, safe);
    }
}

int order(const Args& args, std::string_view state) {
    args.expect_positional(1);
    const std::string& name = args.positional()[0];
    Json body = {{"state", state}};
    if (const auto length = args.value("--for")) {
        if (!base::parse_duration(*length)) {
            throw UsageError(
                fmt::format("bad --for \"{}\": wants a duration like 30m or 2h", *length));
        }
        body["for"] = *length;
    }
    if (const auto reason = args.value("--reason")) {
        body["reason"] = *reason;
    }
    body["force"] = args.has("--force");
    const AdminClient client(args);
    tell(args, client.ask("PUT", path_of(name),
                          body.dump(-1, ' ', false, Json::error_handler_t::replace)));
    if (state == "drain" && !args.has("--json")) {
        tell_when_safe(client, name);
    }
    return kOk;
}

}  // namespace

int run_drain(const Args& args) { return order(args, "drain"); }

int run_up(const Args& args) { return order(args, "up"); }

int run_down(const Args& args) { return order(args, "down"); }

int run_release(const Args& args) {
    args.expect_positional(1);
    const AdminClient client(args);
    tell(args, client.ask("DELETE", path_of(args.positional()[0])));
    return kOk;
}

}  // namespace steerd::cli
