#include "geo/latency_import.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <tuple>

#include "base/csv.h"
#include "base/text.h"

namespace steerd::geo {

namespace {

constexpr double kMaxRttMs = 60'000;
constexpr double kMaxAgeDays = 1e6;
constexpr std::size_t kMaxRegionName = 255;

constexpr std::string_view kClientWords[] = {
    "client", "client_ip",     "client_address", "ip",  "address", "addr",
    "prefix", "client_prefix", "network",        "src", "source",  "remote_addr"};
constexpr std::string_view kRegionWords[] = {"region", "target",   "pop",        "site",
                                             "colo",   "location", "datacenter", "dst"};
constexpr std::string_view kSamplesWords[] = {"samples", "count"};
constexpr std::string_view kAgeWords[] = {"age_days"};
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

/// A number that is the whole text.
template <typename Number>
std::optional<Number> number_of(std::string_view text) noexcept {
    Number value{};
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = read.ec == std::errc{} && read.ptr == text.data() + text.size();
    return whole ? std::optional(value) : std::nullopt;
}

/// To a hundredth, without trailing zeros.
void append_hundredths(std::string& out, double ms) {
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
        columns.samples = find_column(header, "", kSamplesWords);
        columns.age_days = find_column(header, "", kAgeWords);
    }
    return missing.empty();
}

bool LatencyImport::add_line(const std::vector<std::string_view>& fields, const Columns& columns) {
    if (fields.size() <= std::max({columns.client, columns.region, columns.rtt})) {
        return false;
    }
    const auto prefix = prefix_of(fields[columns.client], options_);
    const std::string_view region = fields[columns.region];
    const double rtt = number_of<double>(fields[columns.rtt]).value_or(0) * columns.ms_per_unit;
    // What is not told: one sample, of no known age. What is told must be a number.
    const auto field = [&](const std::optional<std::size_t>& column) {
        return column && *column < fields.size() ? fields[*column] : std::string_view();
    };
    const auto count_text = field(columns.samples);
    const auto age_text = field(columns.age_days);
    const auto count = count_text.empty() ? 1 : number_of<std::uint32_t>(count_text).value_or(0);
    const double age = age_text.empty() ? -1 : number_of<double>(age_text).value_or(std::nan(""));
    const bool good = prefix && !region.empty() && region.size() <= kMaxRegionName && rtt > 0 &&
                      rtt <= kMaxRttMs && count > 0 &&
                      (age_text.empty() || (age >= 0 && age <= kMaxAgeDays));
    if (!good) {
        return false;
    }
    auto at = regions_.find(region);
    if (at == regions_.end()) {
        at = regions_.emplace(region, static_cast<std::uint32_t>(regions_.size())).first;
    }
    samples_.push_back(
        {*prefix, at->second, static_cast<float>(rtt), count, static_cast<float>(age)});
    total_ += count;
    has_ages_ = has_ages_ || age >= 0;
    return true;
}

void LatencyImport::add(std::string_view text, const std::string& file, base::Problems& problems) {
    text = base::without_mark(text);
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
        problems.warning(
            {file, first_skipped, 0},
            (skipped == 1 ? std::string("1 line is") : std::to_string(skipped) + " lines are") +
                " no sample (client address, region, rtt above 0) and " +
                (skipped == 1 ? "was skipped" : "were skipped, this one first"));
    }
}

void LatencyImport::append_row(std::string& out, const Sample* first, const Sample* last,
                               std::string_view region) {
    std::uint64_t count = 0;
    float age = -1;
    for (const Sample* sample = first; sample != last; ++sample) {
        count += sample->count;
        if (sample->age_days >= 0 && (age < 0 || sample->age_days < age)) {
            age = sample->age_days;
        }
    }
    if (count < options_.min_samples) {
        return;
    }
    const auto at = [first](std::uint64_t position) {
        const Sample* sample = first;
        while (position >= sample->count) {
            position -= sample++->count;
        }
        return static_cast<double>(sample->rtt_ms);
    };
    out += first->prefix.text() + ",";
    out += std::string(region) + ",";
    // Never 0, which is no round trip.
    append_hundredths(out, std::max(0.01, (at((count - 1) / 2) + at(count / 2)) / 2));
    // The most that latency.csv takes.
    out += "," + std::to_string(
                     std::min<std::uint64_t>(count, std::numeric_limits<std::uint32_t>::max()));
    if (has_ages_) {
        out += ",";
        if (age >= 0) {
            append_hundredths(out, static_cast<double>(age));
        }
    }
    out += "\n";
    ++rows_;
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
    std::string out = "client,region,rtt_ms,samples";
    out += has_ages_ ? ",age_days\n" : "\n";
    for (std::size_t first = 0; first < samples_.size();) {
        std::size_t last = first;
        while (last < samples_.size() && samples_[last].prefix == samples_[first].prefix &&
               samples_[last].region == samples_[first].region) {
            ++last;
        }
        append_row(out, samples_.data() + first, samples_.data() + last,
                   names[samples_[first].region]);
        first = last;
    }
    samples_.clear();
    regions_.clear();
    total_ = 0;
    has_ages_ = false;
    return out;
}

}  // namespace steerd::geo
