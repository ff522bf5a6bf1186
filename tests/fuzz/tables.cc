// Any text as one of the tables and states that are read at start: latency.csv, an export for
// `steerd latency import` (what comes of it must be good latency.csv), the IP-to-country table,
// and the state kept over restarts, which must read back as it was written. First octet: which of
// these. Thread rule: one thread.
#include <array>
#include <string>

#include "control/state.h"
#include "geo/country_table.h"
#include "geo/latency_import.h"
#include "geo/latency_table.h"
#include "target.h"

namespace {

using namespace steerd;  // NOLINT: one file, one purpose

void latency_rows(std::string_view text, bool must_be_good) {
    static const std::array<std::string, 2> regions = {"tokyo", "virginia"};
    base::Problems problems;
    const auto table = geo::LatencyTable::parse(text, "latency.csv", regions, problems);
    fuzz::require(!must_be_good || !problems.has_errors(), "an import is good latency.csv");
    for (const auto family : {base::IpFamily::V4, base::IpFamily::V6}) {
        const auto groups = table.groups(family);
        for (std::uint32_t i = 0; i < groups.size() && i < 100; ++i) {
            const auto found = table.find(family, i, geo::Facts{}, 0);
            fuzz::require(!found || found->row.rtt_ms >= 0, "a round trip takes time");
        }
    }
}

void import(std::string_view text) {
    base::Problems problems;
    geo::LatencyImport import(geo::LatencyImportOptions{});
    import.add(text, "pings.csv", problems);
    if (!problems.has_errors()) {
        latency_rows(import.take(), true);
    }
}

void countries(std::string_view text) {
    base::Problems problems;
    geo::CountryTable table;
    table.add(base::IpFamily::V4, text, "geoip", problems);
    table.add(base::IpFamily::V6, text, "geoip6", problems);
    for (const auto family : {base::IpFamily::V4, base::IpFamily::V6}) {
        const auto& ranges = table.ranges(family);
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            fuzz::require(ranges[i].first <= ranges[i].last, "a range has an end");
            fuzz::require(i == 0 || ranges[i - 1].last < ranges[i].first, "ranges stand apart");
        }
    }
}

void state(std::string_view text) {
    const auto read = control::state_from_json(text);
    if (!read) {
        fuzz::require(!read.error().empty(), "a refusal says why");
        return;
    }
    const std::string written = control::state_to_json(*read);
    const auto again = control::state_from_json(written);
    fuzz::require(bool(again), "a state reads back");
    fuzz::require(control::state_to_json(*again) == written, "and is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    switch (input.octet() % 4U) {
        case 0:
            latency_rows(input.text(), false);
            break;
        case 1:
            import(input.text());
            break;
        case 2:
            countries(input.text());
            break;
        default:
            state(input.text());
            break;
    }
    return 0;
}
