#include "cli/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "base/problem.h"
#include "base/text.h"

namespace steerd::cli {

namespace {

enum class Colour : std::uint8_t { None, Green, Yellow, Red, Blue, Bold };

constexpr std::array<std::string_view, 6> kColours{"",         "\033[32m", "\033[33m",
                                                   "\033[31m", "\033[36m", "\033[1m"};
constexpr std::string_view kPlain = "\033[0m";

struct Cell {
    std::string text;
    Colour colour = Colour::None;
};

using Row = std::vector<Cell>;

/// What everything below works with.
class Page {
  public:
    explicit Page(const Json& status, bool colours)
        : now_(base::parse_wall(status.at("server").value("now", "")).value_or(base::Wall{})),
          colours_(colours) {}

    void line(std::string_view text) { out_.append(text) += '\n'; }

    /// Columns as wide as they must be; the last as long as it is.
    void table(const std::vector<Row>& rows) {
        std::vector<std::size_t> width;
        for (const Row& row : rows) {
            width.resize(std::max(width.size(), row.size()));
            for (std::size_t i = 0; i < row.size(); ++i) {
                width[i] = std::max(width[i], row[i].text.size());
            }
        }
        for (const Row& row : rows) {
            std::string text;
            for (std::size_t i = 0; i < row.size(); ++i) {
                text += painted(row[i]);
                if (i + 1 < row.size()) {
                    text.append(width[i] - row[i].text.size() + 2, ' ');
                }
            }
            line(text.substr(0, text.find_last_not_of(' ') + 1));
        }
    }

    [[nodiscard]] std::string painted(const Cell& cell) const {
        if (!colours_ || cell.colour == Colour::None || cell.text.empty()) {
            return cell.text;
        }
        return fmt::format("{}{}{}", kColours[static_cast<std::size_t>(cell.colour)], cell.text,
                           kPlain);
    }

    /// "42s", "5m", "3h", "2d": since then, or until.
    [[nodiscard]] std::string away(const std::string& time) const {
        const auto wall = base::parse_wall(time);
        if (!wall) {
            return "";
        }
        const auto distance = *wall > now_ ? *wall - now_ : now_ - *wall;
        const auto s = std::chrono::duration_cast<std::chrono::seconds>(distance).count();
        if (s < 120) {
            return fmt::format("{}s", s);
        }
        if (s < 120 * 60) {
            return fmt::format("{}m", s / 60);
        }
        return s < 48 * 3600 ? fmt::format("{}h", s / 3600) : fmt::format("{}d", s / 86400);
    }

    [[nodiscard]] std::string take() { return std::move(out_); }

  private:
    base::Wall now_;
    bool colours_;
    std::string out_;
};

/// Causes come from strangers: no control characters on a terminal.
std::string clean(std::string text) {
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
    return text;
}

std::string word(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? clean(found->get<std::string>()) : "";
}

Colour colour_of(const std::string& health) {
    if (health == "up") {
        return Colour::Green;
    }
    if (health == "down") {
        return Colour::Red;
    }
    return health == "degraded" ? Colour::Yellow : Colour::Blue;
}

std::string plural(std::size_t n, std::string_view one) {
    return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

void add_head(Page& page, const Json& status) {
    const auto& server = status.at("server");
    const auto identity = word(server, "identity");
    page.line(fmt::format(
        "steerd {}{}, {}, up {}; {}, {}; last change {} ago", word(server, "version"),
        identity.empty() ? "" : " (" + identity + ")",
        server.value("ready", false) ? "serving" : "not serving yet",
        page.away(word(server, "started")), plural(status.at("endpoints").size(), "endpoint"),
        plural(status.at("names").size(), "steered name"), page.away(word(server, "published"))));
    if (const auto problem = word(server, "state_problem"); !problem.empty()) {
        page.line(page.painted({"orders cannot be kept: " + problem, Colour::Red}));
    }
}

/// What stands in the row of an endpoint's address behind its health.
std::string cause_of(const Page& page, const Json& address) {
    std::string text = word(address, "cause");
    if (const auto next = word(address, "next"); !next.empty()) {
        const auto at = word(address, "next_at");
        text += fmt::format("; going {}{}", next, at.empty() ? "" : " in " + page.away(at));
    }
    for (const auto& check : address.at("checks")) {
        if (check.value("inconclusive_long", false)) {
            text += fmt::format("; probe {} fails to run: {}", word(check, "probe"),
                                word(check, "reason"));
        }
    }
    return text;
}

void add_endpoints(Page& page, const Json& status) {
    std::vector<Row> rows;
    rows.push_back({{"ENDPOINT", Colour::Bold},
                    {"REGION", Colour::Bold},
                    {"ORDER", Colour::Bold},
                    {"ADDRESS", Colour::Bold},
                    {"HEALTH", Colour::Bold},
                    {"SINCE", Colour::Bold},
                    {"CAUSE", Colour::Bold}});
    for (const auto& endpoint : status.at("endpoints")) {
        bool first = true;
        const auto& order = endpoint.at("override");
        const std::string ordered = order.is_object() ? word(order, "state") : "";
        for (const auto& address : endpoint.at("addresses")) {
            const bool probed = endpoint.value("probed", true);
            const std::string health = word(address, "health");
            rows.push_back({{first ? word(endpoint, "name") : ""},
                            {first ? word(endpoint, "region") : ""},
                            {first ? ordered : "", ordered == "up" ? Colour::Blue : Colour::Yellow},
                            {word(address, "address")},
                            {health, colour_of(health)},
                            {probed ? page.away(word(address, "since")) : ""},
                            {probed ? cause_of(page, address) : "not probed"}});
            first = false;
        }
    }
    page.line("");
    page.table(rows);
}

void add_orders(Page& page, const Json& status) {
    std::vector<Row> rows;
    for (const char* list : {"overrides", "absent_overrides"}) {
        const bool absent = std::string_view(list) == "absent_overrides";
        for (const auto& order : status.at(list)) {
            const auto until = word(order, "until");
            const auto reason = word(order, "reason");
            const bool also_absent =
                !absent && std::any_of(status.at("absent_overrides").begin(),
                                       status.at("absent_overrides").end(), [&](const Json& other) {
                                           return other.at("name") == order.at("name");
                                       });
            if (also_absent) {
                continue;
            }
            rows.push_back({{word(order, "name")},
                            {word(order, "state"), Colour::Yellow},
                            {"by " + word(order, "who")},
                            {page.away(word(order, "since")) + " ago"},
                            {until.empty() ? "until released" : "until " + until},
                            {fmt::format("{}{}", reason.empty() ? "" : "\"" + reason + "\"",
                                         absent ? " (not configured now)" : "")}});
        }
    }
    if (!rows.empty()) {
        page.line("\norders");
        page.table(rows);
    }
}

void add_drains(Page& page, const Json& status) {
    std::vector<Row> rows;
    for (const auto& endpoint : status.at("endpoints")) {
        const auto& drain = endpoint.at("drain");
        if (!drain.is_object()) {
            continue;
        }
        const bool safe = drain.value("safe", false);
        const auto when = word(drain, "safe_to_stop");
        rows.push_back(
            {{word(endpoint, "name")},
             {safe ? "safe to stop" : fmt::format("safe to stop in {}", page.away(when)),
              safe ? Colour::Green : Colour::Yellow},
             {fmt::format("at {}", when)},
             {fmt::format("caches that keep to the TTL: {}", word(drain, "caches_let_go"))},
             {fmt::format("{:.1f} % of clients left", drain.value("clients_left", 0.0) * 100)}});
    }
    if (!rows.empty()) {
        page.line("\ndraining");
        page.table(rows);
    }
}

void add_holds(Page& page, const Json& status) {
    std::vector<Row> rows;
    for (const auto& hold : status.at("holds")) {
        const auto until = word(hold, "until");
        rows.push_back(
            {{word(hold, "route")},
             {word(hold, "judge")},
             {fmt::format("stays on {}", word(hold, "member")), Colour::Yellow},
             {fmt::format("off {}", word(hold, "better"))},
             {until.empty() ? fmt::format("until `steerd release route:{}`", word(hold, "route"))
                            : "until " + until}});
    }
    if (!rows.empty()) {
        page.line("\nholds");
        page.table(rows);
    }
}

void add_routes(Page& page, const Json& status) {
    std::vector<Row> rows;
    for (const auto& route : status.at("routes")) {
        std::string members;
        for (const auto& member : route.at("members")) {
            members += (members.empty() ? "" : ", ") + clean(member.get<std::string>());
        }
        rows.push_back({{word(route, "name")}, {word(route, "policy")}, {members}});
    }
    if (!rows.empty()) {
        page.line("\nroutes");
        page.table(rows);
    }
}

void add_names(Page& page, const Json& status) {
    std::vector<Row> rows;
    for (const auto& name : status.at("names")) {
        const auto& available = name.at("available");
        for (const char* family : {"ipv4", "ipv6"}) {
            if (!available.value(family, true)) {
                rows.push_back({{word(name, "name")},
                                {family},
                                {"nothing available: when_all_down acts", Colour::Red}});
            }
        }
    }
    if (!rows.empty()) {
        page.line("\nnames");
        page.table(rows);
    }
}

/// What rate limiting held back, once it has.
void add_limited(Page& page, const Json& status) {
    const auto answers = status.find("answers");
    if (answers == status.end() || !answers->contains("limited")) {
        return;
    }
    std::vector<Row> rows;
    for (const auto& [kind, counts] : answers->at("limited").items()) {
        const auto dropped = counts.value("dropped", std::uint64_t{0});
        const auto slipped = counts.value("slipped", std::uint64_t{0});
        if (dropped + slipped != 0) {
            rows.push_back({{clean(kind), Colour::Yellow},
                            {fmt::format("{} dropped", dropped)},
                            {fmt::format("{} sent short", slipped)}});
        }
    }
    if (const auto unproven = answers->value("unproven", std::uint64_t{0}); unproven != 0) {
        rows.push_back(
            {{"large"}, {""}, {fmt::format("{} sent short without a cookie", unproven)}});
    }
    if (!rows.empty()) {
        page.line("\nanswers limited since the start");
        page.table(rows);
    }
}

void add_load(Page& page, const Json& status) {
    const auto& load = status.at("load");
    const auto& problems = load.at("problems");
    const auto errors = std::count_if(problems.begin(), problems.end(), [](const Json& problem) {
        return problem.value("severity", "") == "error";
    });
    if (load.value("ok", true) && errors == 0) {
        return;
    }
    page.line(fmt::format("\nlast load, {} ago: {}", page.away(word(load, "at")),
                          page.painted({word(load, "message"), Colour::Red})));
    for (const auto& problem : problems) {
        if (problem.value("severity", "") == "error") {
            const base::Problem one{
                base::Severity::Error,
                {word(problem, "file"), problem.value("line", 0U), problem.value("column", 0U)},
                word(problem, "message")};
            page.line("  " + one.text());
        }
    }
}

}  // namespace

std::string status_text(const Json& status, bool colours) {
    Page page(status, colours);
    add_head(page, status);
    add_endpoints(page, status);
    add_orders(page, status);
    add_drains(page, status);
    add_holds(page, status);
    add_routes(page, status);
    add_names(page, status);
    add_limited(page, status);
    add_load(page, status);
    return page.take();
}

}  // namespace steerd::cli
