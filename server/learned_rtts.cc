#include "server/learned_rtts.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <tuple>

#include "base/check.h"
#include "base/rng.h"

namespace steerd::server {

namespace {

constexpr std::uint64_t kIsV4 = std::uint64_t{1} << 63;
constexpr std::uint64_t kIsV6 = std::uint64_t{1} << 62;
constexpr std::uint32_t kForgetSeconds =
    static_cast<std::uint32_t>(std::chrono::seconds(LearnedRtts::kForget).count());

/// The bits of the prefix, with its family; never 0.
std::uint64_t key_of(const base::IpAddress& client) noexcept {
    return client.is_v4() ? kIsV4 | client.v4_value() >> (32 - LearnedRtts::kPrefix4)
                          : kIsV6 | client.v6_high() >> (64 - LearnedRtts::kPrefix6);
}

base::IpPrefix prefix_of(std::uint64_t key) noexcept {
    if ((key & kIsV4) != 0) {
        const auto bits = static_cast<std::uint32_t>(key) << (32 - LearnedRtts::kPrefix4);
        return {base::IpAddress::v4(bits), LearnedRtts::kPrefix4};
    }
    const std::uint64_t high = (key & ~kIsV6) << (64 - LearnedRtts::kPrefix6);
    std::array<std::uint8_t, 16> octets{};
    for (unsigned i = 0; i < 8; ++i) {
        octets[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    }
    return {base::IpAddress::v6(octets), LearnedRtts::kPrefix6};
}

std::uint32_t seconds_of(base::Wall at) noexcept {
    const auto s = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(s, 0, std::numeric_limits<std::uint32_t>::max()));
}

bool is_forgotten(std::uint32_t last_s, std::uint32_t now_s) noexcept {
    return now_s > last_s && now_s - last_s > kForgetSeconds;
}

}  // namespace

LearnedRtts::LearnedRtts(std::size_t prefixes, std::uint64_t seed)
    : entries_(prefixes), seed_(seed) {
    CHECK(std::has_single_bit(prefixes) && prefixes >= kWays);
}

std::size_t LearnedRtts::set_of(std::uint64_t key) const noexcept {
    const std::uint64_t h = base::mix64(key ^ seed_);  // neighbours land apart
    return static_cast<std::size_t>(h & (entries_.size() / kWays - 1)) * kWays;
}

/// Its entry, or the one it takes the place of, emptied.
LearnedRtts::Entry& LearnedRtts::place_for(std::uint64_t key, std::uint32_t now_s) noexcept {
    const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(set_of(key));
    const auto last = first + kWays;
    const auto mine = std::find_if(first, last, [&](const Entry& e) { return e.key == key; });
    if (mine != last) {
        if (is_forgotten(mine->last_s, now_s)) {
            *mine = Entry{};
            mine->key = key;
        }
        return *mine;
    }
    const auto worth = [now_s](const Entry& e) {
        return std::tuple(e.key != 0, !is_forgotten(e.last_s, now_s), e.samples, e.last_s);
    };
    const auto least = std::min_element(
        first, last, [&](const Entry& a, const Entry& b) { return worth(a) < worth(b); });
    *least = Entry{};
    least->key = key;
    return *least;
}

void LearnedRtts::record(const base::IpAddress& client, std::uint32_t rtt_us,
                         base::Wall now) noexcept {
    const std::uint32_t now_s = seconds_of(now);
    auto& entry = place_for(key_of(client), now_s);
    if (entry.minutes > 0 && entry.last_s / 60 == now_s / 60) {
        entry.least_us[entry.newest] = std::min(entry.least_us[entry.newest], rtt_us);
    } else {
        entry.newest = entry.minutes == 0
                           ? std::uint8_t{0}
                           : static_cast<std::uint8_t>((entry.newest + 1U) % kMinutes);
        entry.minutes =
            static_cast<std::uint8_t>(std::min<std::size_t>(entry.minutes + 1U, kMinutes));
        entry.least_us[entry.newest] = rtt_us;
    }
    entry.last_s = now_s;
    entry.samples += entry.samples < std::numeric_limits<std::uint32_t>::max() ? 1 : 0;
}

void LearnedRtts::restore(const Row& row) noexcept {
    const std::uint32_t last_s = seconds_of(row.last);
    auto& entry = place_for(key_of(row.client.address()), last_s);
    entry.last_s = last_s;
    entry.samples = row.samples;
    entry.minutes = static_cast<std::uint8_t>(std::min<std::size_t>(row.samples, kMinutes));
    entry.newest = static_cast<std::uint8_t>(entry.minutes - 1);
    entry.least_us.fill(row.rtt_us);
}

/// Of an even number the lower of the two in the middle: noise only ever adds.
std::uint32_t LearnedRtts::median(const Entry& entry) noexcept {
    auto sorted = entry.least_us;
    const auto end = sorted.begin() + entry.minutes;
    const auto middle = sorted.begin() + (entry.minutes - 1) / 2;
    std::nth_element(sorted.begin(), middle, end);
    return *middle;
}

std::vector<LearnedRtts::Row> LearnedRtts::rows(base::Wall now) const {
    const std::uint32_t now_s = seconds_of(now);
    std::vector<Row> out;
    for (const auto& entry : entries_) {
        if (entry.key != 0 && !is_forgotten(entry.last_s, now_s)) {
            out.push_back({prefix_of(entry.key), median(entry), entry.samples,
                           base::Wall(std::chrono::seconds(entry.last_s))});
        }
    }
    return out;
}

}  // namespace steerd::server
