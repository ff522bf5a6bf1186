#include "geo/latency_import.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <tuple>

#include "base/text.h"

namespace steerd::geo {

namespace {

constexpr double kMaxRttMs = 60'000;
constexpr std::size_t kMaxRegionName = 255;

constexpr std::string_view kClientWords[] = {
    "client", "client_ip",     "client_address", "ip",  "address", "addr",
    "prefix", "client_prefix", "network",        "src", "source",  "remote_addr"};
constexpr std::string_view kRegionWords[] = {"region", "target",   "pop",        "site",
                                             "colo",   "location", "datacenter", "dst"};
constexpr std::string_view kRttWords[] = {"rtt",     "latency", "ping",    "median",
                                          "min_rtt", "rtt_min", "rtt_avg", "avg",
                                          "min",     "time",    "duration"};

struct Unit {
    std::string_view suffix;
    double ms;
};

constexpr Unit kUnits[] = {{"_ms", 1},        {"_us", 0.001}, {"_usec", 0.001},
                           {"_ns", 0.000001}, {"_sec", 1000}, {"_s", 1000}};

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view kBlank = " \t\r\"";
    const auto first = text.find_first_not_of(kBlank);
    return first == std::string_view::npos
               ? std::string_view()
               : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

void split(std::string_view line, std::vector<std::string_view>& fields) {
    fields.clear();
    for (;;) {
        const auto comma = line.find(',');
        fields.push_back(trimmed(line.substr(0, comma)));
        if (comma == std::string_view::npos) {
            return;
        }
        line.remove_prefix(comma + 1);
    }
}

bool ends_with(std::string_view text, std::string_view end) noexcept {
    return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

/// A column's name without its unit, and the unit.
std::pair<std::string, double> without_unit(std::string_view name) {
    std::string word = base::ascii_lower(name);
    for (const Unit& unit : kUnits) {
        if (ends_with(word, unit.suffix)) {
            word.resize(word.size() - unit.suffix.size());
            return {word, unit.ms};
        }
    }
    return {word, 1};
}

/// The column that was asked for by name, else the first that has one of the words.
std::optional<std::size_t> find_column(const std::vector<std::string_view>& header,
                                       const std::string& asked,
                                       std::span<const std::string_view> words) {
    for (std::size_t i = 0; i < header.size(); ++i) {
        if (!asked.empty() && header[i] == asked) {
            return i;
        }
    }
    if (!asked.empty()) {
        return std::nullopt;
    }
    for (const std::string_view word : words) {
        for (std::size_t i = 0; i < header.size(); ++i) {
            if (base::ascii_lower(header[i]) == word || without_unit(header[i]).first == word) {
                return i;
            }
        }
    }
    return std::nullopt;
}

std::optional<base::IpPrefix> prefix_of(std::string_view text,
                                        const LatencyImportOptions& options) {
    const auto given = base::IpPrefix::parse(text);
    if (!given) {
        return std::nullopt;
    }
    const base::IpPrefix client = base::normalised(*given).prefix;
    const unsigned most = client.address().is_v4() ? options.prefix4 : options.prefix6;
    return base::IpPrefix(client.address(), std::min(most, client.length()));
}

/// To a hundredth of a millisecond, without trailing zeros.
void append_ms(std::string& out, double ms) {
    std::array<char, 32> text;
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), std::round(ms * 100) / 100).ptr;
    out.append(text.data(), end);
}

}  // namespace

bool LatencyImport::find_columns(const std::vector<std::string_view>& header, Columns& columns,
                                 std::string& missing) const {
    const auto find = [&](const std::string& asked, std::span<const std::string_view> words,
                          std::string_view what, std::size_t& into) {
        const auto found = find_column(header, asked, words);
        into = found.value_or(0);
        if (!found) {
            missing += std::string(missing.empty() ? "" : ", ") +
                       (asked.empty() ? std::string(what) : "\"" + asked + "\"");
        }
    };
    find(options_.client, kClientWords, "client", columns.client);
    find(options_.region, kRegionWords, "region", columns.region);
    find(options_.rtt, kRttWords, "rtt_ms", columns.rtt);
    if (missing.empty()) {
        columns.ms_per_unit = without_unit(header[columns.rtt]).second;
    }
    return missing.empty();
}

bool LatencyImport::add_line(const std::vector<std::string_view>& fields, const Columns& columns) {
    if (fields.size() <= std::max({columns.client, columns.region, columns.rtt})) {
        return false;
    }
    const auto prefix = prefix_of(fields[columns.client], options_);
    const std::string_view region = fields[columns.region];
    const std::string_view figure = fields[columns.rtt];
    double rtt = 0;
    const auto read = std::from_chars(figure.data(), figure.data() + figure.size(), rtt);
    rtt *= columns.ms_per_unit;
    const bool good = prefix && !region.empty() && region.size() <= kMaxRegionName &&
                      read.ec == std::errc{} && read.ptr == figure.data() + figure.size() &&
                      rtt > 0 && rtt <= kMaxRttMs;
    if (!good) {
        return false;
    }
    auto at = regions_.find(region);
    if (at == regions_.end()) {
        at = regions_.emplace(region, static_cast<std::uint32_t>(regions_.size())).first;
    }
    samples_.push_back({*prefix, at->second, static_cast<float>(rtt)});
    return true;
}

void LatencyImport::add(std::string_view text, const std::string& file, base::Problems& problems) {
    std::vector<std::string_view> fields;
    std::optional<Columns> columns;
    std::uint32_t line_number = 0;
    std::uint32_t first_skipped = 0;
    std::size_t skipped = 0;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++line_number;
        const auto bare = trimmed(line);
        if (bare.empty() || bare.front() == '#') {
            continue;
        }
        split(line, fields);
        if (!columns) {
            columns.emplace();
            if (!base::IpPrefix::parse(fields[0])) {
                std::string missing;
                if (!find_columns(fields, *columns, missing)) {
                    problems.error({file, line_number, 0},
                                   "no column of the header is the " + missing +
                                       "; say which with --client, --region, --rtt");
                    return;
                }
                continue;
            }
        }
        if (!add_line(fields, *columns) && skipped++ == 0) {
            first_skipped = line_number;
        }
    }
    if (skipped > 0) {
        problems.warning({file, first_skipped, 0},
                         std::to_string(skipped) +
                             " lines are no sample (client address, region, rtt above 0) and were "
                             "skipped, this one first");
    }
}

std::string LatencyImport::take() {
    std::vector<std::string_view> names(regions_.size());
    std::vector<std::uint32_t> rank(regions_.size());
    std::uint32_t next = 0;
    for (const auto& [name, id] : regions_) {
        names[id] = name;
        rank[id] = next++;
    }
    std::sort(samples_.begin(), samples_.end(), [&](const Sample& a, const Sample& b) {
        return std::tie(a.prefix, rank[a.region], a.rtt_ms) <
               std::tie(b.prefix, rank[b.region], b.rtt_ms);
    });
    rows_ = 0;
    std::string out = "client,region,rtt_ms,samples\n";
    for (std::size_t first = 0; first < samples_.size();) {
        std::size_t last = first;
        while (last < samples_.size() && samples_[last].prefix == samples_[first].prefix &&
               samples_[last].region == samples_[first].region) {
            ++last;
        }
        const std::size_t count = last - first;
        if (count >= options_.min_samples) {
            const double low = samples_[first + (count - 1) / 2].rtt_ms;
            const double high = samples_[first + count / 2].rtt_ms;
            out += samples_[first].prefix.text() + ",";
            out += std::string(names[samples_[first].region]) + ",";
            append_ms(out, (low + high) / 2);
            out += "," + std::to_string(count) + "\n";
            ++rows_;
        }
        first = last;
    }
    samples_.clear();
    regions_.clear();
    return out;
}

}  // namespace steerd::geo
