// See rate_limiter.h. Thread rule: as rate_limiter.h.
#include "server/rate_limiter.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>

#include "base/rng.h"

namespace steerd::server {

namespace {

using policy::AnswerKind;

// What a prefix may have at once: a second's worth; of a worker's small share ten answers, since
// chance gives one worker now more and now less than its share.
constexpr std::uint32_t kBurst_us = 1'000'000;
constexpr std::uint32_t kLeastOfAShare = 10;
constexpr std::uint32_t kRefusedMask = 0xFF;

std::uint32_t interval_of(std::uint32_t per_second, std::uint32_t workers) noexcept {
    constexpr std::uint64_t kLongest_us = 60'000'000;
    if (per_second == 0) {
        return 0;
    }
    const std::uint64_t interval = std::uint64_t{1'000'000} * workers / per_second;
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(interval, 1, kLongest_us));
}

std::uint64_t mask_of(std::uint32_t length) noexcept {
    return length == 0 ? 0 : ~std::uint64_t{0} << (64 - length);
}

/// What of a kind shares a bucket: the records or route that answer, the zone that denies.
std::uint64_t subject_of(RateKind kind, const policy::Outcome& outcome) noexcept {
    if (kind == RateKind::Error) {
        return 0;
    }
    if (kind == RateKind::Response && outcome.steered != policy::kNone) {
        return std::uint64_t{1} << 32 | outcome.steered;
    }
    const bool denies = kind == RateKind::NxDomain || kind == RateKind::NoData;
    if (!denies && outcome.source != nullptr) {
        return std::bit_cast<std::uintptr_t>(outcome.source);
    }
    return outcome.zone;
}

std::uint64_t first_64_bits(const base::IpAddress& address) noexcept {
    return address.is_v4() ? std::uint64_t{address.v4_value()} << 32 : address.v6_high();
}

}  // namespace

RateKind rate_kind_of(const policy::Outcome& outcome) noexcept {
    if (outcome.rcode == dns::Rcode::NxDomain) {
        return RateKind::NxDomain;
    }
    if (outcome.rcode != dns::Rcode::NoError) {
        return RateKind::Error;
    }
    switch (outcome.kind) {
        case AnswerKind::NoData:
            return RateKind::NoData;
        case AnswerKind::Referral:
            return RateKind::Referral;
        case AnswerKind::Static:
        case AnswerKind::Steered:
        case AnswerKind::Any:
        case AnswerKind::Chaos:
        case AnswerKind::CookieOnly:
            return RateKind::Response;
        case AnswerKind::Dropped:
        case AnswerKind::Malformed:
        case AnswerKind::NxDomain:
        case AnswerKind::Refused:
        case AnswerKind::Unavailable:
        case AnswerKind::NotImplemented:
            break;
    }
    return RateKind::Error;
}

RateLimits::RateLimits(const config::RateLimitConfig& limit, std::uint32_t workers,
                       std::uint64_t seed)
    : slip(limit.slip),
      max_amplification(limit.max_amplification),
      prefix_mask{mask_of(limit.ipv4_prefix), mask_of(limit.ipv6_prefix)},
      exempt(limit.exempt) {
    const std::array rates{limit.responses_per_second, limit.nxdomains_per_second,
                           limit.nodata_per_second, limit.referrals_per_second,
                           limit.errors_per_second};
    window_us = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(limit.window).count());
    for (std::size_t i = 0; i < kRateKinds; ++i) {
        interval_us[i] = interval_of(rates[i], workers);
        const std::uint32_t least = interval_us[i] * (workers > 1 ? kLeastOfAShare : 1);
        burst_us[i] = std::max(kBurst_us, least);
        window_us = std::max(window_us, burst_us[i]);
    }
    constexpr std::size_t kInLine = 8;
    lines = std::bit_ceil(std::max<std::size_t>(limit.table_size / kInLine, 1));
    base::Rng draws(seed);
    for (auto& one : key) {
        one = draws.next();
    }
}

RateLimiter::RateLimiter(std::shared_ptr<const RateLimits> limits)
    : limits_(std::move(limits)), lines_(std::make_unique<Line[]>(limits_->lines)) {}

/// Multilinear over words of 32 bits: the upper half of a sum is strongly universal.
RateLimiter::Place RateLimiter::place_of(const base::IpAddress& client, RateKind kind,
                                         const policy::Outcome& outcome,
                                         std::uint64_t now_us) const noexcept {
    const auto family = static_cast<std::size_t>(client.family());
    const std::uint64_t prefix = first_64_bits(client) & limits_->prefix_mask[family];
    const std::uint64_t subject = subject_of(kind, outcome);
    const std::array<std::uint64_t, 5> words{prefix >> 32, prefix & 0xFFFFFFFF, subject >> 32,
                                             subject & 0xFFFFFFFF,
                                             static_cast<std::uint64_t>(kind) << 1 | family};
    const auto& key = limits_->key;
    std::uint64_t line = key[0];
    // With each half of a turn of the clock in 32 bits the tags change: a bucket that nobody came
    // to for a whole turn would else look used up again.
    std::uint64_t tag = key[6] + key[12] * (now_us >> 31);
    for (std::size_t i = 0; i < words.size(); ++i) {
        line += key[1 + i] * words[i];
        tag += key[7 + i] * words[i];
    }
    return {static_cast<std::uint32_t>(line >> 32),
            static_cast<std::uint32_t>(tag >> 32) & ~kRefusedMask};
}

/// At most the window; what says more, or lies behind, was left long ago.
std::uint32_t RateLimiter::used_up(const Bucket& bucket, std::uint32_t now_us) const noexcept {
    const std::uint32_t ahead = bucket.until_us - now_us;
    return ahead <= limits_->window_us ? ahead : 0;
}

/// The bucket of this tag; else the one that has used up least, emptied.
RateLimiter::Bucket& RateLimiter::find(const Place& place, std::uint32_t now_us) noexcept {
    Line& line = lines_[place.line & (limits_->lines - 1)];
    Bucket* least = line.buckets.data();
    for (Bucket& bucket : line.buckets) {
        if ((bucket.tag & ~kRefusedMask) == place.tag) {
            return bucket;
        }
        if (used_up(bucket, now_us) < used_up(*least, now_us)) {
            least = &bucket;
        }
    }
    *least = {now_us, place.tag};
    return *least;
}

bool RateLimiter::exempt(const base::IpAddress& client) const noexcept {
    return std::ranges::any_of(limits_->exempt,
                               [&](const auto& prefix) { return prefix.contains(client); });
}

RateLimiter::Verdict RateLimiter::over(Bucket& bucket) noexcept {
    if (limits_->slip == 0) {
        return Verdict::Drop;
    }
    const std::uint32_t refused = (bucket.tag & kRefusedMask) + 1;
    const bool slips = refused >= limits_->slip;
    bucket.tag = (bucket.tag & ~kRefusedMask) | (slips ? 0 : refused);
    return slips ? Verdict::Slip : Verdict::Drop;
}

RateLimiter::Verdict RateLimiter::judge(const policy::Request& request,
                                        const policy::Outcome& outcome) noexcept {
    if (outcome.cookie == dns::CookieState::Good) {
        return Verdict::Pass;
    }
    const RateKind kind = rate_kind_of(outcome);
    const std::uint32_t interval = limits_->interval_us[static_cast<std::size_t>(kind)];
    if (interval != 0) {
        const auto time_us =
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                           request.now.mono.time_since_epoch())
                                           .count());
        const auto now_us = static_cast<std::uint32_t>(time_us);
        Bucket& bucket = find(place_of(request.client, kind, outcome, time_us), now_us);
        const std::uint32_t used = used_up(bucket, now_us) + interval;
        bucket.until_us = now_us + std::min(used, limits_->window_us);
        if (used > limits_->burst_us[static_cast<std::size_t>(kind)] && !exempt(request.client)) {
            return over(bucket);
        }
    }
    const bool too_large = limits_->max_amplification != 0 &&
                           outcome.size > request.query.size() * limits_->max_amplification;
    return too_large && !exempt(request.client) ? Verdict::TooLarge : Verdict::Pass;
}

}  // namespace steerd::server
