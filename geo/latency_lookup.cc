// Which measured row counts for whom; reading and sorting them is in latency_table.cc.
// Thread rule: see latency_table.h.
#include <algorithm>
#include <cmath>

#include "geo/latency_table.h"

namespace steerd::geo {

std::span<const LatencyTable::Group> LatencyTable::groups(base::IpFamily family) const noexcept {
    return groups_[family == base::IpFamily::V4 ? 0 : 1];
}

std::optional<LatencyRow> LatencyTable::row_in(Slice slice, std::size_t region) const noexcept {
    const auto begin = rows_.begin() + slice.first;
    const auto end = begin + slice.count;
    const auto at = std::lower_bound(
        begin, end, region, [](const Row& row, std::size_t wanted) { return row.region < wanted; });
    if (at == end || at->region != region) {
        return std::nullopt;
    }
    return told_by(*at);
}

LatencyRow LatencyTable::told_by(const Row& row) noexcept {
    LatencyRow out;
    out.rtt_ms = row.rtt_ms;
    if (row.samples > 0) {
        out.samples = row.samples;
    }
    if (!std::isnan(row.age_days)) {
        out.age_days = row.age_days;
    }
    return out;
}

std::optional<Measured> LatencyTable::find(base::IpFamily family, std::uint32_t group,
                                           const Facts& facts, std::size_t region) const noexcept {
    return look_up(family, group, facts, region, false);
}

std::optional<Measured> LatencyTable::find_any(base::IpFamily family, std::uint32_t group,
                                               const Facts& facts,
                                               std::size_t region) const noexcept {
    return look_up(family, group, facts, region, true);
}

std::optional<Measured> LatencyTable::look_up(base::IpFamily family, std::uint32_t group,
                                              const Facts& facts, std::size_t region,
                                              bool any) const noexcept {
    const auto counts = [&](const std::optional<LatencyRow>& row) {
        return row && (any || row->meets(limits_));
    };
    Measured found;
    for (; group != kNone; group = groups(family)[group].parent) {
        const Group& at = groups(family)[group];
        if (const auto row = row_in({at.first_row, at.row_count}, region); counts(row)) {
            found.row = *row;
            found.client.prefix = at.prefix;
            return found;
        }
    }
    const auto look = [&](const auto& map, const auto& key) {
        const auto at = key ? map.find(*key) : map.end();
        const auto row = at != map.end() ? row_in(at->second, region) : std::nullopt;
        if (counts(row)) {
            found.row = *row;
        }
        return counts(row);
    };
    if (look(by_asn_, facts.asn)) {
        found.client.kind = LatencyClient::Kind::Asn;
        found.client.asn = *facts.asn;
        return found;
    }
    if (look(by_country_, facts.country)) {
        found.client.kind = LatencyClient::Kind::Country;
        found.client.code = *facts.country;
        return found;
    }
    if (look(by_continent_, facts.continent)) {
        found.client.kind = LatencyClient::Kind::Continent;
        found.client.code = *facts.continent;
        return found;
    }
    return std::nullopt;
}

}  // namespace steerd::geo
