// steerd reload: the same as SIGHUP, told what came of it: every problem with its place. Exit
// status 1 where anything was refused. With --or-signal it is SIGHUP where nobody can be asked:
// a service manager reloads servers without [admin], too.
#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <string>

#include "base/problem.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/json.h"

namespace steerd::cli {

namespace {

int signal_instead(const std::string& text, const NoServer& why) {
    pid_t pid = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), pid);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || pid <= 1) {
        throw UsageError("--or-signal wants the number of a process");
    }
    if (::kill(pid, SIGHUP) != 0) {
        throw Failure(fmt::format("{}; and process {}: {}", why.what(), pid, std::strerror(errno)));
    }
    fmt::print(stderr, "{}\nsent SIGHUP to {} instead; its log tells what comes of it\n",
               why.what(), pid);
    return kOk;
}

int reload(const Args& args) {
    args.expect_positional(0);
    const AdminClient client(args);
    const auto answer = client.ask("POST", "/api/v1/reload");
    const auto& json = answer.json;
    if (!json.contains("ok")) {
        throw Failure(error_of(answer));
    }
    const bool ok = json.at("ok").get<bool>();
    if (args.has("--json")) {
        fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
        return ok ? kOk : kFailed;
    }
    for (const auto& problem : json.at("problems")) {
        const base::Problem one{
            problem.value("severity", "") == "error" ? base::Severity::Error
                                                     : base::Severity::Warning,
            {problem.value("file", ""), problem.value("line", 0U), problem.value("column", 0U)},
            problem.value("message", "")};
        fmt::print(stderr, "{}\n", one.text());
    }
    for (const auto& table : json.at("wait_for_restart")) {
        fmt::print(stderr, "changed {} keys wait for a restart\n", table.get<std::string>());
    }
    fmt::print(ok ? stdout : stderr, "{}\n", json.value("message", ""));
    return ok ? kOk : kFailed;
}

}  // namespace

int run_reload(const Args& args) {
    try {
        return reload(args);
    } catch (const NoServer& why) {
        const auto pid = args.value("--or-signal");
        if (!pid) {
            throw;
        }
        return signal_instead(*pid, why);
    }
}

}  // namespace steerd::cli
