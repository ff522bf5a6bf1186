// Response rate limiting: whether an answer over UDP goes out whole, short or not at all. An
// attacker who forges his victim's address gets as much sent there as one prefix may have of one
// kind of answer: of the same records, of one zone's denials, of one referral, of errors. As BIND
// and NSD do, what is over the limit counts too: while a flood goes on next to nothing goes out,
// and `slip` lets a real client behind that prefix come by TCP, or with a cookie. Where no cookie
// proves the address, no answer is larger than so many times its query.
// A bucket is the moment until which its rate is used up: 8 octets, 8 of them to a line of the
// cache, so that an answer costs one line whatever comes. The line is found by a hash that is
// strongly universal over a secret key (Lemire and Kaser 2013, multilinear), so that nobody can aim
// at another's bucket; in a full line whoever has used up least is forgotten, so that a flood of
// prefixes makes none of the busy ones forgotten, and nobody limited who should not be.
// Deliberately knows no queue and no load: it bounds what is reflected, not what is received.
// Thread rule: RateLimits is immutable; a RateLimiter has one owner, and neither allocates nor
// locks after construction.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/ip.h"
#include "config/limits.h"
#include "policy/answer.h"

namespace steerd::server {

enum class RateKind : std::uint8_t { Response, NxDomain, NoData, Referral, Error };

inline constexpr std::size_t kRateKinds = 5;

[[nodiscard]] RateKind rate_kind_of(const policy::Outcome& outcome) noexcept;

/// A configured limit as each thread needs it.
struct RateLimits {
    /// Each of `workers` takes its share of a rate. `key`: from the system's randomness.
    RateLimits(const config::RateLimitConfig& limit, std::uint32_t workers, std::uint64_t key);

    std::array<std::uint32_t, kRateKinds> interval_us{};  // that one answer uses up; 0: no limit
    std::array<std::uint32_t, kRateKinds> burst_us{};     // that may be used up at once
    std::uint32_t window_us = 0;                          // most that can be used up
    std::uint32_t slip = 0;
    std::uint32_t max_amplification = 0;
    std::array<std::uint64_t, 2> prefix_mask{};  // of the first 64 bits, by base::IpFamily
    std::size_t lines = 0;                       // a power of two
    std::vector<base::IpPrefix> exempt;
    std::array<std::uint64_t, 13> key{};
};

class RateLimiter {
  public:
    enum class Verdict : std::uint8_t {
        Pass,
        Drop,
        Slip,     // over the limit, but this one is answered short
        TooLarge  // for who does not prove his address
    };

    explicit RateLimiter(std::shared_ptr<const RateLimits> limits);

    /// REQUIRES: the request came over UDP and `outcome` is its answer, of at least an octet.
    [[nodiscard]] Verdict judge(const policy::Request& request,
                                const policy::Outcome& outcome) noexcept;

  private:
    /// Until when it is used up, in microseconds that wrap after 71 minutes; and 24 bits of the
    /// hash over 8 that count what was refused.
    struct Bucket {
        std::uint32_t until_us;
        std::uint32_t tag;
    };

    static constexpr std::size_t kWays = 8;

    struct alignas(64) Line {
        std::array<Bucket, kWays> buckets;
    };

    struct Place {
        std::uint32_t line;
        std::uint32_t tag;
    };

    [[nodiscard]] Place place_of(const base::IpAddress& client, RateKind kind,
                                 const policy::Outcome& outcome,
                                 std::uint64_t now_us) const noexcept;
    [[nodiscard]] std::uint32_t used_up(const Bucket& bucket, std::uint32_t now_us) const noexcept;
    [[nodiscard]] Bucket& find(const Place& place, std::uint32_t now_us) noexcept;
    [[nodiscard]] bool exempt(const base::IpAddress& client) const noexcept;
    [[nodiscard]] Verdict over(Bucket& bucket) noexcept;

    std::shared_ptr<const RateLimits> limits_;
    std::unique_ptr<Line[]> lines_;  // NOLINT(modernize-avoid-c-arrays): aligned, sized at start
};

}  // namespace steerd::server
