// Measured round trips: latency.csv (`client,region,rtt_ms[,samples,age_days]`) as a table.
//
// A client is a prefix, `AS64500`, `country:JP` or `continent:AS`. For each region on its own the
// client's longest prefix that has a row for it counts, then its ASN, country, continent. A row of
// few samples or great age gives way to the next, and in the end to the model: a stale figure sends
// clients astray more surely than an estimate does. Rows are
// kept sorted and by index, 24 octets each, since there may be a million of them.
// What this deliberately does not do: medians of raw samples (`steerd latency import` does).
// Thread rule: immutable once loaded; loading is single-threaded.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/problem.h"
#include "geo/place.h"

namespace steerd::geo {

/// Whom a row is about.
struct LatencyClient {
    enum class Kind : std::uint8_t { Prefix, Asn, Country, Continent };
    Kind kind = Kind::Prefix;
    base::IpPrefix prefix;
    std::uint32_t asn = 0;
    Code<2> code;  ///< of a country or continent

    /// nullopt when it is none of the four forms; mapped and 6to4 prefixes become IPv4.
    [[nodiscard]] static std::optional<LatencyClient> parse(std::string_view text) noexcept;
    /// As latency.csv writes it.
    [[nodiscard]] std::string text() const;

    friend auto operator<=>(const LatencyClient&, const LatencyClient&) = default;
};

/// What a row must tell of itself to count; a row that tells nothing counts.
struct LatencyLimits {
    std::uint32_t min_samples = 3;
    double max_age_days = 90;

    friend bool operator==(const LatencyLimits&, const LatencyLimits&) = default;
};

struct LatencyRow {
    double rtt_ms = 0;
    std::optional<std::uint32_t> samples;
    std::optional<double> age_days;

    [[nodiscard]] bool meets(const LatencyLimits& limits) const noexcept {
        return (!samples || *samples >= limits.min_samples) &&
               (!age_days || *age_days <= limits.max_age_days);
    }

    friend bool operator==(const LatencyRow&, const LatencyRow&) = default;
};

/// A row and whom it was measured for.
struct Measured {
    LatencyRow row;
    LatencyClient client;
};

class LatencyTable {
  public:
    /// No client group: nothing was measured for any prefix around an address.
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    /// All rows of one prefix; `parent` is the next wider prefix with rows, or kNone.
    struct Group {
        base::IpPrefix prefix;
        std::uint32_t parent = kNone;
        std::uint32_t first_row = 0;
        std::uint32_t row_count = 0;
    };

    LatencyTable() = default;
    /// Parses the text of a file; malformed rows are errors with their line (the first 20, then a
    /// count), rows for regions not in `regions` are skipped with one warning that counts them, as
    /// are those that do not meet the limits: they stay, but are asked only by find_any().
    [[nodiscard]] static LatencyTable parse(std::string_view text, const std::string& file,
                                            std::span<const std::string> regions,
                                            base::Problems& problems,
                                            const LatencyLimits& limits = {});

    /// Prefixes with rows, sorted by address, then length.
    [[nodiscard]] std::span<const Group> groups(base::IpFamily family) const noexcept;
    /// For a client in `group` (an index into groups(family), or kNone) with these facts: the first
    /// row that meets the limits.
    [[nodiscard]] std::optional<Measured> find(base::IpFamily family, std::uint32_t group,
                                               const Facts& facts,
                                               std::size_t region) const noexcept;
    /// The same, thin and old rows too.
    [[nodiscard]] std::optional<Measured> find_any(base::IpFamily family, std::uint32_t group,
                                                   const Facts& facts,
                                                   std::size_t region) const noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

  private:
    struct Row {
        double rtt_ms;
        double age_days;        // NaN: not told
        std::uint32_t samples;  // 0: not told
        std::uint32_t region;
    };

    struct Slice {
        std::uint32_t first = 0;
        std::uint32_t count = 0;
    };
    struct Line;
    class Parser;

    [[nodiscard]] std::optional<LatencyRow> row_in(Slice slice, std::size_t region) const noexcept;
    [[nodiscard]] std::optional<Measured> look_up(base::IpFamily family, std::uint32_t group,
                                                  const Facts& facts, std::size_t region,
                                                  bool any) const noexcept;

    [[nodiscard]] static LatencyRow told_by(const Row& row) noexcept;
    void tell_of_unfit(const std::string& file, base::Problems& problems) const;
    void add_client(const LatencyClient& client, Slice slice);
    void link_groups();

    LatencyLimits limits_;
    std::vector<Row> rows_;  // by client, then region
    std::vector<Group> groups_[2];
    std::map<std::uint32_t, Slice> by_asn_;
    std::map<Code<2>, Slice> by_country_;
    std::map<Code<2>, Slice> by_continent_;
};

}  // namespace steerd::geo
