// Exports of pings or of real users to latency.csv: medians of each prefix and region, with counts.
//
// Columns are found by the header's words, in any order: client (or ip, address, prefix ...),
// region (or target, pop ...), rtt_ms (or rtt, latency, ping ..., also with _us or _s). Without a
// header the first three columns are these. Where the header names samples (and age_days), as
// latency.csv and what servers learn do, a line weighs as many: so tables become one table. Of
// several ages the least counts, as it tells of the newest sample. Lines that say nothing useful
// are skipped and counted, since exports of real users are never clean. What this deliberately does
// not do: follow clients over time (a median forgets), know regions. Thread rule: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/problem.h"

namespace steerd::geo {

struct LatencyImportOptions {
    unsigned prefix4 = 24;
    unsigned prefix6 = 48;
    std::size_t min_samples = 1;
    /// Names of columns where the header does not use known words; empty: the known words.
    std::string client;
    std::string region;
    std::string rtt;
};

class LatencyImport {
  public:
    explicit LatencyImport(LatencyImportOptions options) : options_(std::move(options)) {}

    /// Adds a file. An unusable header is an error; skipped lines are one warning with their count
    /// and the first one's place.
    void add(std::string_view text, const std::string& file, base::Problems& problems);
    /// latency.csv, by prefix, then region. Forgets what was added.
    [[nodiscard]] std::string take();

    [[nodiscard]] std::size_t samples() const noexcept { return total_; }

    /// Rows of what take() returned.
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }

  private:
    struct Sample {
        base::IpPrefix prefix;
        std::uint32_t region = 0;  // index into regions_
        float rtt_ms = 0;
        std::uint32_t count = 1;
        float age_days = -1;  // not told
    };

    struct Columns {
        std::size_t client = 0;
        std::size_t region = 1;
        std::size_t rtt = 2;
        double ms_per_unit = 1;
        std::optional<std::size_t> samples;
        std::optional<std::size_t> age_days;
    };

    [[nodiscard]] bool find_columns(const std::vector<std::string_view>& header, Columns& columns,
                                    std::string& missing) const;
    /// False where the line is no sample.
    bool add_line(const std::vector<std::string_view>& fields, const Columns& columns);
    /// One client's samples in one region, by round trip; adds their row if they are enough.
    void append_row(std::string& out, const Sample* first, const Sample* last,
                    std::string_view region);

    LatencyImportOptions options_;
    std::map<std::string, std::uint32_t, std::less<>> regions_;
    std::vector<Sample> samples_;
    std::size_t total_ = 0;
    bool has_ages_ = false;
    std::size_t rows_ = 0;
};

}  // namespace steerd::geo
