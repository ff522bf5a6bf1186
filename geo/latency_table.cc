#include "geo/latency_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "base/csv.h"
#include "geo/countries.h"

namespace steerd::geo {

namespace {

constexpr std::size_t kShownErrors = 20;
constexpr double kMaxRttMs = 60'000;

template <typename Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) noexcept {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

[[nodiscard]] bool starts_with(std::string_view text, std::string_view start) noexcept {
    return text.substr(0, start.size()) == start;
}

}  // namespace

std::optional<LatencyClient> LatencyClient::parse(std::string_view text) noexcept {
    constexpr std::string_view kCountry = "country:";
    constexpr std::string_view kContinent = "continent:";
    LatencyClient client;
    if (starts_with(text, "AS")) {
        const auto asn = parse_number<std::uint32_t>(text.substr(2));
        client.kind = Kind::Asn;
        client.asn = asn.value_or(0);
        return client.asn != 0 ? std::optional(client) : std::nullopt;
    }
    if (starts_with(text, kCountry) || starts_with(text, kContinent)) {
        const bool country = starts_with(text, kCountry);
        client.kind = country ? Kind::Country : Kind::Continent;
        const auto code = country ? parse_country(text.substr(kCountry.size()))
                                  : parse_continent(text.substr(kContinent.size()));
        client.code = code.value_or(Code<2>{});
        return code ? std::optional(client) : std::nullopt;
    }
    const auto prefix = base::IpPrefix::parse(text);
    if (!prefix) {
        return std::nullopt;
    }
    client.prefix = base::normalised(*prefix).prefix;
    return client;
}

std::string LatencyClient::text() const {
    switch (kind) {
        case Kind::Prefix:
            return prefix.text();
        case Kind::Asn:
            return "AS" + std::to_string(asn);
        case Kind::Country:
            return "country:" + std::string(code.view());
        case Kind::Continent:
            return "continent:" + std::string(code.view());
    }
    return {};
}

/// A row as it stands in the file; `order` is its line.
struct LatencyTable::Line {
    LatencyClient client;
    Row row;
    std::uint32_t order;
};

class LatencyTable::Parser {
  public:
    Parser(const std::string& file, std::span<const std::string> regions, base::Problems& problems)
        : file_(file), problems_(problems) {
        for (std::size_t i = 0; i < regions.size(); ++i) {
            regions_.emplace(regions[i], static_cast<std::uint32_t>(i));
        }
    }

    void run(std::string_view text) {
        text = base::without_mark(text);
        bool header_seen = false;
        while (!text.empty()) {
            const std::size_t end = text.find('\n');
            const std::string_view line = trimmed(text.substr(0, end));
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
            ++line_;
            if (line.empty() || line.front() == '#') {
                continue;
            }
            if (!header_seen) {
                header_seen = true;
                if (!read_header(line)) {
                    return;  // without it every row would be an error
                }
            } else {
                read_row(line);
            }
        }
        if (!header_seen) {
            error("has no header line (client,region,rtt_ms[,samples,age_days])");
        }
        report();
    }

    [[nodiscard]] std::vector<Line> take() { return std::move(lines_); }

  private:
    static constexpr std::size_t kMaxFields = 5;

    [[nodiscard]] base::SourcePos here() const { return {file_, line_, 0}; }

    void error(std::string message) {
        if (++errors_ <= kShownErrors) {
            problems_.error(here(), std::move(message));
        }
    }

    /// The number of fields, kMaxFields + 1 when there are more.
    std::size_t split(std::string_view line) {
        std::size_t count = 0;
        for (;;) {
            const std::size_t comma = line.find(',');
            if (count == kMaxFields) {
                return count + 1;
            }
            fields_[count++] = trimmed(line.substr(0, comma));
            if (comma == std::string_view::npos) {
                return count;
            }
            line.remove_prefix(comma + 1);
        }
    }

    bool read_header(std::string_view line) {
        constexpr std::string_view kNames[kMaxFields] = {"client", "region", "rtt_ms", "samples",
                                                         "age_days"};
        columns_ = split(line);
        const bool good = columns_ >= 3 && columns_ <= kMaxFields &&
                          std::equal(fields_, fields_ + columns_, kNames);
        if (!good) {
            error("the first line must be client,region,rtt_ms[,samples,age_days]");
        }
        return good;
    }

    void read_row(std::string_view line) {
        const std::size_t count = split(line);
        if (count < 3 || count > columns_) {
            error("has " + (count > kMaxFields ? "more than 5" : std::to_string(count)) +
                  " fields, the header has " + std::to_string(columns_));
            return;
        }
        // Files are mostly sorted: the same client stands in several rows in a row.
        if (fields_[0] != client_text_ || !client_) {
            client_text_ = fields_[0];
            client_ = LatencyClient::parse(client_text_);
        }
        if (!client_) {
            error(
                "client must be a prefix, AS<number>, country:<code> or continent:<code>, got \"" +
                std::string(fields_[0]) + "\"");
            return;
        }
        const auto row = read_figures(count);
        if (!row) {
            return;
        }
        const auto region = regions_.find(fields_[1]);
        if (region == regions_.end()) {
            if (skipped_++ == 0) {
                first_skipped_ = here();
                skipped_region_ = fields_[1];
            }
            return;
        }
        lines_.push_back({*client_, *row, line_});
        lines_.back().row.region = region->second;
    }

    std::optional<Row> read_figures(std::size_t count) {
        Row row{0, std::nan(""), 0, 0};
        const auto rtt = parse_number<double>(fields_[2]);
        if (!rtt || !std::isfinite(*rtt) || *rtt < 0 || *rtt > kMaxRttMs) {
            error("rtt_ms must be 0 to 60000, got \"" + std::string(fields_[2]) + "\"");
            return std::nullopt;
        }
        row.rtt_ms = *rtt;
        if (count > 3 && !fields_[3].empty()) {
            const auto samples = parse_number<std::uint32_t>(fields_[3]);
            if (!samples) {
                error("samples must be a count, got \"" + std::string(fields_[3]) + "\"");
                return std::nullopt;
            }
            row.samples = *samples;
        }
        if (count > 4 && !fields_[4].empty()) {
            const auto age = parse_number<double>(fields_[4]);
            if (!age || !std::isfinite(*age) || *age < 0) {
                error("age_days must be 0 or more, got \"" + std::string(fields_[4]) + "\"");
                return std::nullopt;
            }
            row.age_days = *age;
        }
        return row;
    }

    void report() {
        if (errors_ > kShownErrors) {
            problems_.error({file_, 0, 0},
                            std::to_string(errors_ - kShownErrors) + " more rows are malformed");
        }
        if (skipped_ > 0) {
            problems_.warning(
                first_skipped_,
                "rows for regions that the configuration does not have are skipped: " +
                    std::to_string(skipped_) + ", the first for \"" + skipped_region_ + "\"");
        }
    }

    const std::string& file_;
    base::Problems& problems_;
    std::unordered_map<std::string_view, std::uint32_t> regions_;
    std::string_view fields_[kMaxFields];
    std::size_t columns_ = 0;
    std::uint32_t line_ = 0;
    std::size_t errors_ = 0;
    std::size_t skipped_ = 0;
    base::SourcePos first_skipped_;
    std::string skipped_region_;
    std::string_view client_text_;
    std::optional<LatencyClient> client_;
    std::vector<Line> lines_;
};

LatencyTable LatencyTable::parse(std::string_view text, const std::string& file,
                                 std::span<const std::string> regions, base::Problems& problems,
                                 const LatencyLimits& limits) {
    Parser parser(file, regions, problems);
    parser.run(text);
    std::vector<Line> lines = parser.take();
    std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
        return std::tie(a.client, a.row.region, a.order) <
               std::tie(b.client, b.row.region, b.order);
    });
    LatencyTable table;
    table.limits_ = limits;
    table.rows_.reserve(lines.size());
    std::size_t repeated = 0;
    for (std::size_t i = 0; i < lines.size();) {
        const LatencyClient& client = lines[i].client;
        Slice slice{static_cast<std::uint32_t>(table.rows_.size()), 0};
        for (; i < lines.size() && lines[i].client == client; ++i) {
            const bool again = slice.count > 0 && table.rows_.back().region == lines[i].row.region;
            if (again) {
                ++repeated;
                table.rows_.back() = lines[i].row;  // the last line wins
            } else {
                table.rows_.push_back(lines[i].row);
                ++slice.count;
            }
        }
        table.add_client(client, slice);
    }
    table.link_groups();
    table.tell_of_unfit(file, problems);
    if (repeated > 0) {
        problems.warning({file, 0, 0}, std::to_string(repeated) +
                                           " rows repeat a client and region; the last one counts");
    }
    return table;
}

void LatencyTable::add_client(const LatencyClient& client, Slice slice) {
    switch (client.kind) {
        case LatencyClient::Kind::Prefix:
            groups_[client.prefix.address().is_v4() ? 0 : 1].push_back(
                {client.prefix, kNone, slice.first, slice.count});
            return;
        case LatencyClient::Kind::Asn:
            by_asn_.emplace(client.asn, slice);
            return;
        case LatencyClient::Kind::Country:
            by_country_.emplace(client.code, slice);
            return;
        case LatencyClient::Kind::Continent:
            by_continent_.emplace(client.code, slice);
            return;
    }
}

void LatencyTable::tell_of_unfit(const std::string& file, base::Problems& problems) const {
    std::size_t thin = 0;
    std::size_t old = 0;
    for (const Row& row : rows_) {
        const LatencyRow told = told_by(row);
        if (!told.meets(limits_)) {
            const bool few = told.samples && *told.samples < limits_.min_samples;
            ++(few ? thin : old);
        }
    }
    if (thin + old > 0) {
        std::string text = std::to_string(thin + old) +
                           (thin + old == 1 ? " row gives way" : " rows give way") +
                           " to wider ones or the model: ";
        text += std::to_string(thin) + " of fewer than " + std::to_string(limits_.min_samples) +
                " samples, " + std::to_string(old) + " older than " +
                std::to_string(std::lround(limits_.max_age_days)) + " days";
        problems.warning({file, 0, 0}, std::move(text));
    }
}

void LatencyTable::link_groups() {
    for (std::vector<Group>& groups : groups_) {
        for (std::size_t i = 1; i < groups.size(); ++i) {
            // In address order the wider prefix, if any, is the one before or around it.
            auto parent = static_cast<std::uint32_t>(i - 1);
            while (parent != kNone && !groups[parent].prefix.contains(groups[i].prefix)) {
                parent = groups[parent].parent;
            }
            groups[i].parent = parent;
        }
    }
}

}  // namespace steerd::geo
