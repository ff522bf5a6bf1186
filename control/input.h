// What goes into a step of the control, and what comes out. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "control/event.h"
#include "control/state.h"
#include "dns/name.h"
#include "health/health.h"
#include "health/prober.h"
#include "policy/snapshot.h"

namespace steerd::control {

/// A configuration to put in force; `restored` at start only.
struct NewPlan {
    std::shared_ptr<const policy::Plan> plan;
    std::optional<State> restored;
};

struct ChecksDone {
    std::vector<health::CheckDone> checks;
};

enum class TargetId : std::uint32_t {};

/// A CNAME target to resolve now, A and AAAA together; exactly one ResolveDone is owed for it.
struct ResolveTarget {
    TargetId target{};
    std::uint64_t run = 0;
    dns::Name name;
};

enum class Resolution : std::uint8_t {
    Addresses,  // at least one
    NxDomain,
    NoData,
    NoAnswer,  // timeout, SERVFAIL, no resolver: inconclusive
};

[[nodiscard]] std::string_view to_text(Resolution resolution) noexcept;

struct ResolveDone {
    TargetId target{};
    std::uint64_t run = 0;
    Resolution resolution = Resolution::NoAnswer;
    std::vector<base::IpAddress> addresses;
    std::uint32_t ttl_s = 0;
    std::string reason;  // "timeout after 2s"; may be empty
};

/// `ticket` is the caller's, handed back with the reply.
struct SetOrder {
    std::uint64_t ticket = 0;
    std::string name;  // "tokyo" or "region:tokyo"
    health::OrderState state = health::OrderState::Drain;
    std::string reason;
    std::string who;
    std::optional<base::Wall> until;
    bool force = false;
};

/// Takes an order back; `name` may also be "route:NAME", which lets a held failback happen.
struct ReleaseOrder {
    std::uint64_t ticket = 0;
    std::string name;
    std::string who;
};

/// An order could not be kept as promised (its state did not reach the disk): what was ordered for
/// that name before holds again. Handed out with the reply, given back by the caller; with a ticket
/// it is answered, too, in the step that hands out the snapshot without the order.
struct UndoOrder {
    std::string name;
    std::optional<health::Order> before;  // nullopt: there was none
    std::string why;
    std::uint64_t ticket = 0;  // 0: nobody waits
};

struct Tick {};

using Input =
    std::variant<Tick, NewPlan, ChecksDone, ResolveDone, SetOrder, ReleaseOrder, UndoOrder>;

enum class ReplyKind : std::uint8_t { Done, UnknownName, Refused };

/// The answer to an order. Done comes in the step that hands out the snapshot with the order in it;
/// the caller lets the operator know once that is published and state `state_version` is on disk.
struct Reply {
    std::uint64_t ticket = 0;
    ReplyKind kind = ReplyKind::Done;
    std::string message;               // for people
    std::vector<std::string> steered;  // Refused: the names that would have no candidate
    std::uint64_t state_version = 0;
    std::optional<UndoOrder> undo;  // Done, and of an endpoint or region
};

/// State to be written; a later one replaces an earlier one that is not written yet.
struct StateToWrite {
    std::uint64_t version = 0;  // rises
    std::shared_ptr<const State> state;
};

struct Effects {
    std::vector<health::StartCheck> start;
    std::vector<ResolveTarget> resolve;
    std::shared_ptr<const policy::Snapshot> snapshot;  // to publish; nullptr: none
    std::vector<Event> events;
    std::vector<Reply> replies;
    std::optional<StateToWrite> state;
    bool first_round_done = false;   // stays true; the snapshot in force holds the first verdicts
    base::Mono next = base::kNever;  // step again by then (Tick), whatever else comes
};

}  // namespace steerd::control
