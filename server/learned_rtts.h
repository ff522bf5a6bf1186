// Round trips of clients by prefix (IPv4 /24, IPv6 /48), in a table of fixed size.
//
// What a handshake takes is the path's delay and whatever was added by queues and busy machines,
// never less. So of the handshakes within one minute the least counts: one burst of connections,
// as resolvers make them, is one observation. Of the last nine such minutes the median is the
// prefix's round trip: few odd ones do not move it (the prefix may hold several machines, or one
// that answers late on purpose), and a path that changed is believed after five. A minimum for ever
// would never learn that a path became longer. It is a median, so the rows compare with those that
// `steerd latency import` makes of pings.
//
// A prefix may stand in eight places. Where all are taken, one that was not seen for 90 days makes
// room, else the one with the fewest samples, the oldest of these: passers-by push out each other.
// Thread rule: one owner. No clock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"

namespace steerd::server {

class LearnedRtts {
  public:
    static constexpr unsigned kPrefix4 = 24;
    static constexpr unsigned kPrefix6 = 48;
    static constexpr auto kForget = std::chrono::hours(24 * 90);

    struct Row {
        base::IpPrefix client;
        std::uint32_t rtt_us = 0;
        std::uint32_t samples = 0;  // stays at its greatest
        base::Wall last{};          // of the newest sample

        friend bool operator==(const Row&, const Row&) = default;
    };

    /// REQUIRES: `prefixes`, the most it ever holds, is a power of two, at least 8. `seed` keeps
    /// clients from choosing who shares places.
    LearnedRtts(std::size_t prefixes, std::uint64_t seed);

    void record(const base::IpAddress& client, std::uint32_t rtt_us, base::Wall now) noexcept;
    /// What was learned before: as if that many samples had been like it.
    /// REQUIRES: the prefix is a /24 or /48, samples > 0.
    void restore(const Row& row) noexcept;

    /// All that were seen within kForget, in no order.
    [[nodiscard]] std::vector<Row> rows(base::Wall now) const;

  private:
    static constexpr std::size_t kWays = 8;
    static constexpr std::size_t kMinutes = 9;

    struct Entry {
        std::uint64_t key = 0;     // 0: free
        std::uint32_t last_s = 0;  // wall time, until 2106
        std::uint32_t samples = 0;
        std::array<std::uint32_t, kMinutes> least_us{};  // of each minute, a ring
        std::uint8_t minutes = 0;                        // how many there are
        std::uint8_t newest = 0;
    };

    [[nodiscard]] std::size_t set_of(std::uint64_t key) const noexcept;
    [[nodiscard]] Entry& place_for(std::uint64_t key, std::uint32_t now_s) noexcept;
    [[nodiscard]] static std::uint32_t median(const Entry& entry) noexcept;

    std::vector<Entry> entries_;
    std::uint64_t seed_;
};

}  // namespace steerd::server
