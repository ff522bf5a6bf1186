// One question for one client, through the very answer function that serves: what `steerd explain`
// and GET /api/v1/explain tell (product.md §9). Thread rule: pure functions of a snapshot.
#pragma once

#include <cstdint>
#include <string>

#include "admin/json.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/result.h"
#include "dns/name.h"
#include "dns/types.h"
#include "policy/snapshot.h"

namespace steerd::admin {

struct Question {
    dns::Name name;
    dns::RrType type{};
    base::IpPrefix client;
    bool by_prefix = false;  // IP/LEN: as EDNS Client Subnet would tell it
    std::uint64_t draw = 0;  // of weighted and multivalue routes
};

/// The words as they are written on a command line or in a URL; the error is for whoever wrote it.
struct QuestionText {
    std::string name;
    std::string type;
    std::string client;
    std::string draw;  // empty: a random one
};

[[nodiscard]] base::Result<Question, std::string> parse_question(const QuestionText& text);

/// The decision and the answer at `now`; the error says that our own answer cannot be read.
[[nodiscard]] base::Result<Json, std::string> explain(const policy::Snapshot& snapshot,
                                                      const Question& question, base::Now now);

/// The same for people, made of what explain() gave (here or at a running server).
[[nodiscard]] std::string explain_text(const Json& explained);

}  // namespace steerd::admin
