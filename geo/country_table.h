// The country table of Debian's tor-geoipdb package (IPFire Location database, CC BY-SA 4.0): what
// there is without any database. `geoip` has lines "start,end,CC" with IPv4 addresses as decimal
// numbers, `geoip6` with IPv6 addresses as text; '#' starts a comment.
//
// Neighbouring ranges of one country become one, so that a row is as wide as the data allows.
// Thread rule: immutable once loaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/problem.h"
#include "geo/address_bits.h"
#include "geo/place.h"

namespace steerd::geo {

class CountryTable {
  public:
    /// Addresses from first to last, both included.
    struct Range {
        Bits first = 0;
        Bits last = 0;
        std::uint32_t facts = 0;  ///< index into facts()
    };

    /// Reads both files of the folder. Bad lines are errors with their line (the first 20 of a
    /// file, then a count) and skipped; a missing file is a warning; nullopt when nothing is left.
    [[nodiscard]] static std::optional<CountryTable> load(const std::filesystem::path& folder,
                                                          base::Problems& problems);
    /// Parses one file's text.
    void add(base::IpFamily family, std::string_view text, const std::string& file,
             base::Problems& problems);

    /// Sorted, apart from each other.
    [[nodiscard]] const std::vector<Range>& ranges(base::IpFamily family) const noexcept {
        return ranges_[family == base::IpFamily::V4 ? 0 : 1];
    }

    [[nodiscard]] const std::vector<Facts>& facts() const noexcept { return facts_; }

  private:
    struct Line;
    class Parser;

    std::vector<Range> ranges_[2];
    std::vector<Facts> facts_;
};

}  // namespace steerd::geo
