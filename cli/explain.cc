// steerd explain: one question for one client, through the very answer function that serves
// (product.md §2, §9). Everything counts as up but what --down names; or --server asks the running
// server, with its live health. The words are the same.
#include "admin/explain.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/suppose.h"
#include "server/loader.h"

namespace steerd::cli {

namespace {

admin::QuestionText question_of(const Args& args) {
    args.expect_positional(2);
    const auto client = args.value("--client");
    if (!client) {
        throw UsageError("--client IP[/LEN] is missing");
    }
    return {args.positional()[0], args.positional()[1], *client, args.value("--draw").value_or("")};
}

Json ask_server(const Args& args, const admin::QuestionText& text) {
    if (args.has("--down")) {
        throw UsageError("--down supposes, --server asks what is; take one of them");
    }
    std::string path =
        fmt::format("/api/v1/explain?name={}&type={}&client={}", AdminClient::escaped(text.name),
                    AdminClient::escaped(text.type), AdminClient::escaped(text.client));
    if (!text.draw.empty()) {
        path += "&draw=" + text.draw;
    }
    return AdminClient(args).get(path);
}

/// nullopt: the configuration does not load, and that was said.
std::optional<Json> ask_offline(const Args& args, const admin::Question& question) {
    const auto loaded = server::load_plan(config_path(args), {});
    for (const auto& problem : loaded.problems.all()) {
        if (problem.severity == base::Severity::Error) {
            fmt::print(stderr, "{}\n", problem.text());
        }
    }
    if (loaded.plan == nullptr) {
        return std::nullopt;
    }
    auto facts = policy::all_up(*loaded.plan);
    for (const auto& name : args.values("--down")) {
        suppose_down(*loaded.plan, name, facts);
    }
    policy::Snapshot snapshot;
    snapshot.plan = loaded.plan;
    snapshot.health = policy::compile_health(*loaded.plan, facts);
    snapshot.published = base::RealClock().now();
    auto explained = admin::explain(snapshot, question, snapshot.published);
    if (!explained) {
        throw Failure(explained.error());
    }
    return std::move(*explained);
}

}  // namespace

int run_explain(const Args& args) {
    const auto text = question_of(args);
    const auto question = admin::parse_question(text);
    if (!question) {
        throw UsageError(question.error());
    }
    const auto explained =
        args.has("--server") ? std::optional(ask_server(args, text)) : ask_offline(args, *question);
    if (!explained) {
        return kFailed;
    }
    if (args.has("--json")) {
        fmt::print("{}\n", explained->dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
        fmt::print("{}", admin::explain_text(*explained));
    }
    return kOk;
}

}  // namespace steerd::cli
