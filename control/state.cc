// State to JSON and back; the one file here that knows JSON. A text is taken whole or not at all:
// state that was cut short or written by something else must not become half a truth.
// Thread rule: pure functions.
#include "control/state.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/text.h"

namespace steerd::control {

namespace {

using nlohmann::json;

constexpr int kVersion = 1;
/// Wall times outside of this are not ours, and would not survive arithmetic in nanoseconds.
constexpr std::string_view kLeastWall = "1970-01-01T00:00:00Z";
constexpr std::string_view kMostWall = "2200-01-01T00:00:00Z";

/// Why a text is refused; never leaves this file.
class BadState : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Nanoseconds as a number: exact, where the text form of times has whole seconds.
json wall_to_json(base::Wall wall) { return wall.time_since_epoch().count(); }

json wall_to_json(const std::optional<base::Wall>& wall) {
    return wall ? wall_to_json(*wall) : json();
}

const json& member(const json& object, const char* key) {
    if (!object.is_object()) {
        throw BadState(fmt::format("expected an object with \"{}\"", key));
    }
    const auto found = object.find(key);
    if (found == object.end()) {
        throw BadState(fmt::format("\"{}\" is missing", key));
    }
    return *found;
}

std::string text_of(const json& object, const char* key) {
    const json& value = member(object, key);
    if (!value.is_string()) {
        throw BadState(fmt::format("\"{}\" is not a text", key));
    }
    return value.get<std::string>();
}

base::Wall wall_from(const json& value, const char* key) {
    if (!value.is_number_integer()) {
        throw BadState(fmt::format("\"{}\" is not a time", key));
    }
    const auto wall = base::Wall(base::Duration(value.get<std::int64_t>()));
    if (wall < base::parse_wall(kLeastWall) || wall > base::parse_wall(kMostWall)) {
        throw BadState(fmt::format("\"{}\" is out of range", key));
    }
    return wall;
}

base::Wall wall_of(const json& object, const char* key) {
    return wall_from(member(object, key), key);
}

std::optional<base::Wall> wall_or_null(const json& object, const char* key) {
    const json& value = member(object, key);
    return value.is_null() ? std::nullopt : std::optional(wall_from(value, key));
}

const json& list_of(const json& object, const char* key) {
    const json& value = member(object, key);
    if (!value.is_array()) {
        throw BadState(fmt::format("\"{}\" is not a list", key));
    }
    return value;
}

template <typename T>
T known(const std::optional<T>& value, const char* key, std::string_view text) {
    if (!value) {
        throw BadState(fmt::format("\"{}\" cannot be \"{}\"", key, text));
    }
    return *value;
}

health::Health health_of(const json& object) {
    const std::string text = text_of(object, "health");
    return known(health::parse_health(text), "health", text);
}

base::IpAddress address_from(const std::string& text) {
    return known(base::IpAddress::parse(text), "address", text);
}

policy::Judge judge_of(const json& object) {
    const std::string text = text_of(object, "judge");
    for (const policy::Judge judge : {policy::Judge::V4, policy::Judge::V6, policy::Judge::Both}) {
        if (text == to_text(judge)) {
            return judge;
        }
    }
    throw BadState(fmt::format("\"judge\" cannot be \"{}\"", text));
}

json to_json(const CheckState& check) {
    return {{"address", check.address.text()},
            {"probe", check.probe},
            {"target", fmt::format("{:016x}", check.target)},
            {"health", health::to_text(check.health)},
            {"since", wall_to_json(check.since)},
            {"verified", wall_to_json(check.verified)},
            {"cause", check.cause}};
}

CheckState check_from(const json& object) {
    CheckState check;
    check.address = address_from(text_of(object, "address"));
    check.probe = text_of(object, "probe");
    const std::string target = text_of(object, "target");
    if (target.size() != 16 || target.find_first_not_of("0123456789abcdef") != std::string::npos) {
        throw BadState("\"target\" is not a fingerprint");
    }
    check.target = std::stoull(target, nullptr, 16);
    check.health = health_of(object);
    check.since = wall_of(object, "since");
    check.verified = wall_of(object, "verified");
    check.cause = text_of(object, "cause");
    return check;
}

json to_json(const TargetState& target) {
    json addresses = json::array();
    for (const base::IpAddress& address : target.addresses) {
        addresses.push_back(address.text());
    }
    return {{"name", target.name},
            {"health", health::to_text(target.health)},
            {"verified", wall_to_json(target.verified)},
            {"addresses", std::move(addresses)}};
}

TargetState target_from(const json& object) {
    TargetState target{text_of(object, "name"), health_of(object), wall_of(object, "verified"), {}};
    for (const json& address : list_of(object, "addresses")) {
        if (!address.is_string()) {
            throw BadState("an address is not a text");
        }
        target.addresses.push_back(address_from(address.get<std::string>()));
    }
    return target;
}

json to_json(const SlotState& slot) {
    return {{"endpoint", slot.endpoint},
            {"address", slot.address},
            {"health", health::to_text(slot.health)},
            {"since", wall_to_json(slot.since)},
            {"cause", slot.cause}};
}

SlotState slot_from(const json& object) {
    return {text_of(object, "endpoint"), text_of(object, "address"), health_of(object),
            wall_of(object, "since"), text_of(object, "cause")};
}

json to_json(const health::NamedOrder& named) {
    return {{"name", named.name},
            {"state", health::to_text(named.order.state)},
            {"reason", named.order.reason},
            {"who", named.order.who},
            {"since", wall_to_json(named.order.since)},
            {"until", wall_to_json(named.order.until)}};
}

health::NamedOrder order_from(const json& object) {
    const std::string state = text_of(object, "state");
    return {text_of(object, "name"),
            {known(health::parse_order_state(state), "state", state), text_of(object, "reason"),
             text_of(object, "who"), wall_of(object, "since"), wall_or_null(object, "until")}};
}

json to_json(const HoldState& hold) {
    json barred = json::array();
    for (const HoldState::Better& better : hold.barred) {
        barred.push_back({{"member", better.member}, {"since", wall_to_json(better.since)}});
    }
    return {{"route", hold.route},
            {"judge", to_text(hold.judge)},
            {"member", hold.member},
            {"barred", std::move(barred)}};
}

HoldState hold_from(const json& object) {
    HoldState hold{text_of(object, "route"), judge_of(object), text_of(object, "member"), {}};
    for (const json& better : list_of(object, "barred")) {
        hold.barred.push_back({text_of(better, "member"), wall_or_null(better, "since")});
    }
    return hold;
}

json to_json(const LastGoodState& good);  // holds a list itself

template <typename T>
json list_to_json(const std::vector<T>& values) {
    json list = json::array();
    for (const T& value : values) {
        list.push_back(to_json(value));
    }
    return list;
}

template <typename T>
std::vector<T> list_from(const json& object, const char* key, T (*read)(const json&)) {
    std::vector<T> values;
    for (const json& value : list_of(object, key)) {
        values.push_back(read(value));
    }
    return values;
}

json to_json(const LastGoodState& good) {
    return {
        {"name", good.name}, {"judge", to_text(good.judge)}, {"slots", list_to_json(good.slots)}};
}

LastGoodState last_good_from(const json& object) {
    return {text_of(object, "name"), judge_of(object), list_from(object, "slots", slot_from)};
}

/// Nothing of ours nests deeper; a hostile text could otherwise make the parser's memory grow.
constexpr int kMaxDepth = 8;

}  // namespace

std::string_view to_text(policy::Judge judge) noexcept {
    switch (judge) {
        case policy::Judge::V4:
            return "ipv4";
        case policy::Judge::V6:
            return "ipv6";
        case policy::Judge::Both:
            return "both";
    }
    return "both";
}

std::string state_to_json(const State& state) {
    const json object = {{"version", kVersion},
                         {"written", wall_to_json(state.written)},
                         {"checks", list_to_json(state.checks)},
                         {"targets", list_to_json(state.targets)},
                         {"slots", list_to_json(state.slots)},
                         {"orders", list_to_json(state.orders)},
                         {"holds", list_to_json(state.holds)},
                         {"last_good", list_to_json(state.last_good)}};
    // Causes hold what strangers sent; whatever is not UTF-8 becomes a replacement character.
    return object.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

base::Result<State, std::string> state_from_json(std::string_view text) {
    if (text.size() > kMaxStateText) {
        return base::Err{fmt::format("{} octets are more than a state has", text.size())};
    }
    const auto shallow = [](int depth, json::parse_event_t, json&) {
        if (depth > kMaxDepth) {
            throw BadState("nested too deeply");
        }
        return true;
    };
    try {
        const json object = json::parse(text, shallow);
        const json& version = member(object, "version");
        if (!version.is_number_integer() || version.get<std::int64_t>() != kVersion) {
            return base::Err{fmt::format("version is not {}", kVersion)};
        }
        State state;
        state.written = wall_of(object, "written");
        state.checks = list_from(object, "checks", check_from);
        state.targets = list_from(object, "targets", target_from);
        state.slots = list_from(object, "slots", slot_from);
        state.orders = list_from(object, "orders", order_from);
        state.holds = list_from(object, "holds", hold_from);
        state.last_good = list_from(object, "last_good", last_good_from);
        return state;
    } catch (const BadState& bad) {
        return base::Err{std::string(bad.what())};
    } catch (const json::exception& bad) {
        return base::Err{std::string(bad.what())};
    }
}

}  // namespace steerd::control
