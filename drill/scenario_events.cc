// [[events]]: what breaks when. Each kind has keys of its own; the others are told whose they are.
#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "drill/scenario_reader.h"

namespace steerd::drill {

using config::TomlNode;
using config::TomlTable;

namespace {

constexpr std::array<std::string_view, 11> kKindWords{"kill",    "blackhole", "hang",     "slow",
                                                      "gray",    "flap",      "recover",  "drain",
                                                      "release", "weight",    "partition"};
constexpr base::Duration kShortestDelay = std::chrono::milliseconds(1);
constexpr base::Duration kShortestPeriod = std::chrono::milliseconds(100);

void reject_others(TomlTable& table, EventKind kind) {
    const auto only = [&](std::string_view key, bool fits, std::string_view why) {
        if (!fits) {
            table.reject(key, why);
        }
    };
    only("delay", kind == EventKind::Slow || kind == EventKind::Gray,
         "belongs to \"slow\" and \"gray\"");
    only("fail", kind == EventKind::Gray, "belongs to \"gray\"");
    only("period", kind == EventKind::Flap, "belongs to \"flap\"");
    only("duty", kind == EventKind::Flap, "belongs to \"flap\"");
    only("route", kind == EventKind::Weight, "belongs to \"weight\"");
    only("weight", kind == EventKind::Weight, "belongs to \"weight\"");
    only("force", kind == EventKind::Drain, "belongs to \"drain\"");
}

template <typename T>
T required(TomlTable& table, std::string_view key, const std::optional<T>& value) {
    if (!value && !table.has(key)) {
        table.error(table.at(), fmt::format("{} is missing", key));
    }
    return value.value_or(T{});
}

void read_kind(TomlTable& table, ScenarioEvent& event) {
    switch (event.kind) {
        case EventKind::Slow:
            event.delay = required(table, "delay", table.duration("delay", kShortestDelay));
            break;
        case EventKind::Gray:
            event.fail = required(table, "fail", read_share(table, "fail"));
            event.delay = table.duration("delay", kShortestDelay).value_or(base::Duration{});
            break;
        case EventKind::Flap:
            event.period = required(table, "period", table.duration("period", kShortestPeriod));
            event.duty = read_share(table, "duty").value_or(0.5);
            break;
        case EventKind::Weight:
            event.route = required(table, "route", table.text("route"));
            event.weight = static_cast<std::uint32_t>(
                required(table, "weight", table.integer("weight", {0, 65535})));
            break;
        case EventKind::Drain:
            event.force = table.boolean("force").value_or(false);
            break;
        case EventKind::Kill:
        case EventKind::Blackhole:
        case EventKind::Hang:
        case EventKind::Recover:
        case EventKind::Release:
        case EventKind::Partition:
            break;
    }
    reject_others(table, event.kind);
}

void check_server(const TomlTable& table, const ScenarioEvent& event) {
    const bool for_server = event.kind == EventKind::Kill || event.kind == EventKind::Hang ||
                            event.kind == EventKind::Recover;
    if (event.on_server() && !for_server) {
        table.error("target", fmt::format("the server can be killed, hung and recovered, not {}",
                                          config::in_quotes(to_text(event.kind))));
    }
    if (!event.on_server() && event.kind == EventKind::Hang && !event.target.empty()) {
        table.error("do", "\"hang\" is for the server; an endpoint that hangs is a \"blackhole\"");
    }
}

}  // namespace

std::string_view to_text(EventKind kind) noexcept {
    return kKindWords.at(static_cast<std::size_t>(kind));
}

void read_events(TomlTable& root, Scenario& scenario) {
    base::Duration last{};
    for (const TomlNode* node : tables_of(root, "events")) {
        TomlTable table(*node, "[[events]]", root.source(), root.problems());
        ScenarioEvent event;
        event.pos = table.at();
        const auto at = table.duration("at", base::Duration{});
        event.at = required(table, "at", at);
        if (at && *at < last) {
            table.error("at", fmt::format("events must stand in order: {} is before {}",
                                          base::format_duration(*at), base::format_duration(last)));
        }
        if (at && scenario.duration > base::Duration{} && *at >= scenario.duration) {
            table.error("at", fmt::format("{} is not before the end of the drill ({})",
                                          base::format_duration(*at),
                                          base::format_duration(scenario.duration)));
        }
        last = std::max(last, event.at);
        const auto kind = table.word("do", kKindWords);
        event.target = required(table, "target", table.text("target"));
        if (kind) {
            event.kind = static_cast<EventKind>(*kind);
            read_kind(table, event);
            check_server(table, event);
            event.pos = table.at("target");
            table.finish();
            scenario.events.push_back(std::move(event));
        } else if (!table.has("do")) {
            table.error(table.at(), "do is missing: what happens");
        }
    }
}

}  // namespace steerd::drill
