// What each route chooses, made ready when health is published, so that a query follows a short
// list and judges nobody: a failover is one member, a weighted draw is found by halving however
// many members there are, a latency route keeps the members that stand in the race with their
// regions, a multivalue route its ring of addresses.
//
// Only for the ways to look in which live answers look first, and only where neither a client nor a
// rule of memory can make it come out otherwise; Walk says to evaluate as usual (evaluate.h, whose
// Evaluator is asked for every judgement made here). Memory and time are linear in the members of
// all routes, each route once however many trees it stands in. Lists name members by their place in
// the route, since their targets differ from tree to tree. product.md §4.5.
// Thread rule: immutable once filled.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "policy/plan.h"

namespace steerd::policy {

class HealthState;

/// How one route chooses in one way to look.
struct Ready {
    enum class How : std::uint8_t {
        Walk,     // not ready
        Take,     // the member `first`
        Draw,     // one of the shares, by a draw
        Nearest,  // the runner in the region of the least estimate for the client
        Places,   // the first member available in the client's walk
        Ring,     // a window on the slots
    };
    How how = How::Walk;
    std::uint32_t first = 0;  // of its entries in shares, runners or slots
    std::uint32_t count = 0;
};

class ReadyRoutes {
  public:
    /// The first of the ways to look (enum Column): those of live answers.
    static constexpr std::size_t kWays = 5;

    struct Share {
        std::uint32_t end = 0;  // of the shares up to this one, together
        std::uint32_t member = 0;
    };

    struct Runner {
        std::uint32_t region = 0;  // index into TreeRoute::regions
        std::uint32_t member = 0;
    };

    /// REQUIRES: the ranks of endpoints and routes, and the holds, are in `health`.
    static ReadyRoutes make(const Plan& plan, const HealthState& health);

    [[nodiscard]] const Ready& of(std::size_t way, std::size_t route) const noexcept {
        const std::vector<Ready>& routes = routes_.data()[way];
        return route < routes.size() ? routes.data()[route] : kNotReady;
    }

    [[nodiscard]] const Runner* runners(const Ready& ready) const noexcept {
        return runners_.data() + ready.first;
    }

    [[nodiscard]] const std::uint32_t* slots(const Ready& ready) const noexcept {
        return slots_.data() + ready.first;
    }

    /// The draws of a route are below this. REQUIRES: it is a Draw.
    [[nodiscard]] std::uint32_t total(const Ready& ready) const noexcept {
        return shares_.data()[ready.first + ready.count - 1].end;
    }

    /// Whose share holds `at`. REQUIRES: a Draw; at < total().
    [[nodiscard]] std::uint32_t member_at(const Ready& ready, std::uint64_t at) const noexcept {
        const Share* from = shares_.data() + ready.first;
        for (std::size_t left = ready.count; left > 1;) {
            const std::size_t half = left / 2;
            from += from[half - 1].end <= at ? half : 0;
            left -= half;
        }
        return from->member;
    }

  private:
    friend class ReadyMaker;

    static constexpr Ready kNotReady{};

    std::array<std::vector<Ready>, kWays> routes_;  // by RouteId; empty where nobody looks so
    std::vector<Share> shares_;
    std::vector<Runner> runners_;
    std::vector<std::uint32_t> slots_;
};

}  // namespace steerd::policy
