// What a resolver's cache does with an answer: how long it lives, when it is refreshed, what is
// served while nothing can be fetched, and what a client behind it holds. Values only; drill/
// cache_stream.h leads one such cache through a timeline. Families and numbers were measured on
// real resolvers (Unbound, BIND, Knot Resolver, PowerDNS, dnsmasq); RFC 2181 8 (TTL), RFC 2308
// (negative answers), RFC 8767 (stale answers), RFC 9520 (failures are remembered).
// It does not store names or records: one cache holds one answer. Thread rule: values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

namespace steerd::drill {

/// How a cache counts seconds, f being the fraction of the second at which it fetched:
/// T, T - f (expires on a whole second), T + 1 - f (still answers TTL 0 in the last second).
enum class Rounding : std::uint8_t { Exact, Floor, FloorPlusOne };

/// When an expired answer is still given: never; when nothing can be fetched; at once, while the
/// refresh runs behind (stale-while-revalidate).
enum class ServeStale : std::uint8_t { Never, OnError, Always };

struct StaleRule {
    ServeStale when = ServeStale::Never;
    double for_s = 86400;     // after the expiry
    double reply_ttl_s = 30;  // the TTL such answers carry
};

/// Refresh before the expiry, by the first query with little TTL left. Either a share of the TTL,
/// or BIND's two numbers: with at most `below_s` left if it was at least `of_at_least_s`. 0: off.
struct Prefetch {
    double share = 0;
    double below_s = 0;
    double of_at_least_s = 0;
};

/// How often a resolver asks an authority that does not answer: the spacing doubles up to most_s.
struct RetryRule {
    double first_s = 1;
    double most_s = 30;
};

/// One resolver before an authority that does not answer, by that rule; simulated caches and those
/// of live drills ask at its moments.
class Patience {
  public:
    explicit Patience(const RetryRule& rule) noexcept
        : wait_s_(rule.first_s), most_s_(rule.most_s) {}

    /// Until the question that is under way counts as lost.
    [[nodiscard]] double wait_s() const noexcept { return wait_s_; }

    /// The question asked at `asked` was lost: when the next one is asked, on behalf of a client
    /// that comes `gap_s` after that.
    [[nodiscard]] double next(double asked, double gap_s) noexcept {
        const double at = asked + wait_s_ + gap_s;
        wait_s_ = std::min(2 * wait_s_, most_s_);
        return at;
    }

  private:
    double wait_s_, most_s_;
};

/// A cache in the client (browser, operating system, JVM) in front of the resolver. It holds what
/// it got for max(least_s, factor * told TTL + add_s), and is busy: it asks again when that is
/// over. grace_s: uses it once more when the next request, gap_s later in the mean, comes within
/// that. restart_s: keeps it until its process restarts, that often in the mean.
struct ClientModel {
    double factor = 0;
    double add_s = 0;
    double least_s = 0;
    double most_s = std::numeric_limits<double>::infinity();
    double grace_s = 0;
    double gap_s = 30;
    double restart_s = 0;

    [[nodiscard]] static ClientModel fixed(double hold_s) {
        ClientModel client;
        client.add_s = hold_s;
        return client;
    }

    [[nodiscard]] bool present() const noexcept {
        return factor > 0 || add_s > 0 || least_s > 0 || restart_s > 0;
    }

    /// Without grace and restart. `told_s`: the TTL of the answer it got.
    [[nodiscard]] double hold_s(double told_s) const noexcept {
        return std::max(least_s, std::min(most_s, factor * told_s + add_s));
    }
};

struct CacheModel {
    Rounding rounding = Rounding::Floor;
    double min_ttl_s = 0;
    double max_ttl_s = 86400;
    double extend_s = 0;           // added to every TTL (resolvers that lengthen it)
    std::optional<double> hold_s;  // fixed, whatever the TTL
    Prefetch prefetch;
    StaleRule stale;
    double negative_max_s = 3600;  // RFC 2308 5
    RetryRule retry;
    std::uint32_t pool = 1;  // independent caches behind one address
    std::uint32_t ecs_prefixes =
        1;               // client prefixes that each have an entry of their own (RFC 7871)
    ClientModel client;  // in front of the resolver; not present(): none

    /// Over how many caches the queries of one resolver are spread.
    [[nodiscard]] double caches() const noexcept {
        return static_cast<double>(pool) * static_cast<double>(ecs_prefixes);
    }
};

}  // namespace steerd::drill
