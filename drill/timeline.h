// What the authority would answer, as a function of time: the outcome of running the real control
// and decide on virtual time, handed to the caches that stream through it. Times are seconds since
// the drill began, as virtual nanoseconds in base::Mono. Immutable once made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "policy/plan.h"

namespace steerd::drill {

/// One possible RRset of the name: which endpoints a client that holds it is sent to.
struct Answer {
    std::vector<policy::EndpointId> endpoints;  // several: multivalue, a client uses one at random
    bool negative = false;                      // NODATA: nothing to go to
    bool servfail = false;
    bool fail_open = false;
};

/// One possible answer in a piece, and the TTL it carries there.
struct Offer {
    std::uint32_t answer = 0;     // into Timeline::answers
    double cumulative = 1;        // shares up to and with this one; the last is 1
    std::uint32_t ttl_s = 0;      // when no countdown runs
    std::uint32_t ttl_min_s = 0;  // countdown: max(ttl_min, min(ttl, ceil(until - t)))
    base::Mono countdown_until = base::kNever;  // kNever: no countdown
};

/// From `from` until the next piece the offers stay the same.
struct Piece {
    base::Mono from{};
    std::vector<Offer> offers;
};

/// The pieces of all clients of one class (one place, one hash bucket).
struct ClassTimeline {
    std::vector<Piece> pieces;  // the first begins at 0
};

/// How an endpoint really is, whatever anyone believes: the share of requests sent to it that fail.
struct Truth {
    base::Mono from{};
    double failing = 0;  // 0 fine, 1 dead, between: gray
};

/// Whether the authority itself answers.
enum class Authority : std::uint8_t { Up, Killed, Hung };

struct AuthorityState {
    base::Mono from{};
    Authority state = Authority::Up;
};

/// A scripted event with what control made of it.
struct EventTimes {
    std::size_t event = 0;  // into the scenario's events
    base::Mono at{};
    base::Mono ends = base::kNever;  // the target's next recovery, or the drill's end
    bool takes_out = false;          // kill, blackhole, slow, gray, flap, drain, partition ...
    std::vector<policy::EndpointId> endpoints;  // that it takes out
    base::Mono first_failed = base::kNever;
    base::Mono detected = base::kNever;  // the change of state (the last of its endpoints)
    base::Mono switched = base::kNever;  // from then on no answer names what died
};

/// A region's part of the demand: which class timeline it follows and how much it asks.
struct DemandCell {
    std::uint32_t demand = 0;    // which [[demand]]
    std::uint32_t timeline = 0;  // into Timeline::classes
    double share = 1;            // of that demand
    std::string place;           // for tables: "JP", "US"
};

struct Timeline {
    base::Duration duration{};
    std::vector<Answer> answers;
    std::vector<ClassTimeline> classes;
    std::vector<DemandCell> cells;
    std::vector<std::vector<Truth>> truth;  // by EndpointId, sorted by time
    std::vector<AuthorityState> authority;  // sorted by time; empty: always up
    std::vector<EventTimes> events;
    std::uint32_t switches = 0;  // changes of the published answer for the name
};

}  // namespace steerd::drill
