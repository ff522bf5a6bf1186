#include "geo/country_table.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "geo/countries.h"
#include "geo/sealed_file.h"

namespace steerd::geo {

namespace {

constexpr std::size_t kShownErrors = 20;

}  // namespace

/// A range as it stands in the file.
struct CountryTable::Line {
    Range range;
    std::uint32_t number;
};

class CountryTable::Parser {
  public:
    Parser(base::IpFamily family, const std::string& file, base::Problems& problems,
           std::vector<Facts>& facts)
        : family_(family), file_(file), problems_(problems), facts_(facts) {}

    std::vector<Range> run(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = text.find('\n');
            std::string_view line = text.substr(0, end);
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
            ++number_;
            if (!line.empty() && line.back() == '\r') {
                line.remove_suffix(1);
            }
            if (!line.empty() && line.front() != '#') {
                read(line);
            }
        }
        const auto before = [](const Line& a, const Line& b) {
            return a.range.first < b.range.first;
        };
        if (!std::is_sorted(lines_.begin(), lines_.end(), before)) {
            std::stable_sort(lines_.begin(), lines_.end(), before);
        }
        std::vector<Range> ranges = joined();
        if (errors_ > kShownErrors) {
            problems_.error({file_, 0, 0},
                            std::to_string(errors_ - kShownErrors) + " more lines are malformed");
        }
        return ranges;
    }

  private:
    void error(std::uint32_t line, std::string message) {
        if (++errors_ <= kShownErrors) {
            problems_.error({file_, line, 0}, std::move(message));
        }
    }

    [[nodiscard]] std::optional<Bits> address(std::string_view text) const noexcept {
        if (family_ == base::IpFamily::V4) {
            std::uint32_t value = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), value);
            if (error != std::errc{} || end != text.data() + text.size()) {
                return std::nullopt;
            }
            return static_cast<Bits>(value) << 96;
        }
        const auto parsed = base::IpAddress::parse(text);
        return parsed && !parsed->is_v4() ? std::optional(to_bits(*parsed)) : std::nullopt;
    }

    void read(std::string_view line) {
        const std::size_t one = line.find(',');
        const std::size_t two = line.find(',', one == std::string_view::npos ? one : one + 1);
        if (two == std::string_view::npos) {
            error(number_, "expected start,end,country");
            return;
        }
        const auto first = address(line.substr(0, one));
        const auto last = address(line.substr(one + 1, two - one - 1));
        const std::string_view country = line.substr(two + 1);
        if (!first || !last || *first > *last) {
            error(number_, "expected two addresses in order, got \"" +
                               std::string(line.substr(0, two)) + "\"");
            return;
        }
        if (country.size() != 2) {
            error(number_,
                  "expected a country of two letters, got \"" + std::string(country) + "\"");
            return;
        }
        // An IPv4 range ends with the last of the bits that no address has.
        const Bits tail = family_ == base::IpFamily::V4 ? open_bits(32) : Bits{0};
        lines_.push_back({{*first, *last | tail, facts_index(country)}, number_});
    }

    [[nodiscard]] std::uint32_t facts_index(std::string_view country) {
        const auto key = static_cast<std::uint16_t>((static_cast<unsigned char>(country[0]) << 8) |
                                                    static_cast<unsigned char>(country[1]));
        const auto known = index_.find(key);
        if (known != index_.end()) {
            return known->second;
        }
        const Facts facts = facts_of_country_field(country);
        std::uint32_t at = kUnknown;
        if (facts.known()) {
            const auto same = std::find(facts_.begin(), facts_.end(), facts);
            at = static_cast<std::uint32_t>(same - facts_.begin());
            if (same == facts_.end()) {
                facts_.push_back(facts);
            }
        }
        index_.emplace(key, at);
        return at;
    }

    /// Without overlaps and the ranges of no country, neighbours of one country joined.
    [[nodiscard]] std::vector<Range> joined() {
        std::vector<Range> ranges;
        ranges.reserve(lines_.size());
        const Line* before = nullptr;
        for (const Line& line : lines_) {
            if (before != nullptr && line.range.first <= before->range.last) {
                error(line.number, "overlaps the range of line " + std::to_string(before->number));
                continue;
            }
            before = &line;
            if (line.range.facts == kUnknown) {
                continue;
            }
            const bool next = !ranges.empty() && ranges.back().last + 1 == line.range.first &&
                              ranges.back().facts == line.range.facts;
            if (next) {
                ranges.back().last = line.range.last;
            } else {
                ranges.push_back(line.range);
            }
        }
        return ranges;
    }

    static constexpr std::uint32_t kUnknown = UINT32_MAX;

    base::IpFamily family_;
    const std::string& file_;
    base::Problems& problems_;
    std::vector<Facts>& facts_;
    std::unordered_map<std::uint16_t, std::uint32_t> index_;
    std::vector<Line> lines_;
    std::uint32_t number_ = 0;
    std::size_t errors_ = 0;
};

void CountryTable::add(base::IpFamily family, std::string_view text, const std::string& file,
                       base::Problems& problems) {
    Parser parser(family, file, problems, facts_);
    ranges_[family == base::IpFamily::V4 ? 0 : 1] = parser.run(text);
}

std::optional<CountryTable> CountryTable::load(const std::filesystem::path& folder,
                                               base::Problems& problems) {
    CountryTable table;

    const struct {
        base::IpFamily family;
        const char* name;
    } files[] = {{base::IpFamily::V4, "geoip"}, {base::IpFamily::V6, "geoip6"}};

    base::Problems missing;
    for (const auto& file : files) {
        const std::filesystem::path path = folder / file.name;
        const auto content = SealedFile::read(path);
        if (!content) {
            missing.warning({path.string(), 0, 0},
                            "this half of the country table " + content.error());
            continue;
        }
        table.add(file.family, content->text(), path.string(), problems);
    }
    if (table.ranges_[0].empty() && table.ranges_[1].empty()) {
        problems.warning({folder.string(), 0, 0},
                         "no country table (files geoip and geoip6 of the package tor-geoipdb): "
                         "without it every place is unknown");
        return std::nullopt;
    }
    problems.append(missing);
    return table;
}

}  // namespace steerd::geo
