#include "server/rtt_learner.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <system_error>
#include <utility>

#include "geo/latency_table.h"
#include "policy/forecast_walk.h"
#include "server/log.h"
#include "server/process.h"

namespace steerd::server {

namespace {

constexpr std::size_t kPrefixes = std::size_t{1} << 17;  // 7 MiB while learning
constexpr base::Duration kWriteNews = std::chrono::minutes(5);
constexpr base::Duration kWriteAges = std::chrono::hours(1);
constexpr base::Duration kTellFailureAgain = std::chrono::hours(1);
constexpr std::uintmax_t kMaxFile = std::uintmax_t{64} << 20;  // six times what is ever written
constexpr int kMaxKeptAside = 100;

using Days = std::chrono::duration<double, std::ratio<86400>>;

constexpr Days kOldest{36'500};  // of an age that a file tells

/// 1 for addresses that count, 0 elsewhere: the public ones and those of the networks.
template <typename Key>
policy::Runs<Key> who_counts(const std::vector<base::IpPrefix>& networks) {
    constexpr auto kFamily = sizeof(Key) == 4 ? base::IpFamily::V4 : base::IpFamily::V6;
    constexpr Key kLast = static_cast<Key>(~Key{0});
    std::vector<std::pair<Key, Key>> spans;
    const auto open = policy::public_space<Key>();
    for (std::size_t i = 0; i < open.starts.size(); ++i) {
        if (open.values[i] != 0) {
            const bool ends = i + 1 < open.starts.size();
            spans.emplace_back(open.starts[i], ends ? open.starts[i + 1] - 1 : kLast);
        }
    }
    for (const auto& network : networks) {
        if (network.address().family() == kFamily) {
            const Key first = policy::key_of<Key>(network.address());
            const unsigned length = network.length();
            spans.emplace_back(first, length == 0 ? kLast : first | (kLast >> (length - 1) >> 1));
        }
    }
    std::sort(spans.begin(), spans.end());
    policy::Runs<Key> out;
    Key next = 0;  // the first that is not yet told of
    bool full = false;
    for (const auto& [first, last] : spans) {
        if (full || last < next) {
            continue;
        }
        if (first > next) {
            out.add(next, 0);
        }
        out.add(std::max(first, next), 1);
        full = last == kLast;
        next = last + 1;
    }
    if (!full) {
        out.add(next, 0);
    }
    return out;
}

template <typename Key>
bool is_in(const policy::Runs<Key>& runs, Key key) noexcept {
    const auto next = std::upper_bound(runs.starts.begin(), runs.starts.end(), key);
    return runs.values[static_cast<std::size_t>(next - runs.starts.begin() - 1)] != 0;
}

/// The text and when it was written; nullopt where there is no file.
struct Found {
    std::string text;
    base::Wall written{};
};

base::Result<std::optional<Found>, std::string> read_learned(const std::filesystem::path& file) {
    struct stat s {};

    if (::stat(file.c_str(), &s) != 0) {
        return errno == ENOENT ? base::Result<std::optional<Found>, std::string>(std::nullopt)
                               : base::Err{std::string(std::strerror(errno))};
    }
    if (!S_ISREG(s.st_mode) || static_cast<std::uintmax_t>(s.st_size) > kMaxFile) {
        return base::Err{std::string(S_ISREG(s.st_mode) ? "too large" : "not a regular file")};
    }
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    if (!in || (s.st_size > 0 && !(text << in.rdbuf()))) {
        return base::Err{std::string(std::strerror(errno))};
    }
    return std::optional(Found{text.str(), base::Wall(std::chrono::seconds(s.st_mtim.tv_sec))});
}

/// Under a name that is free, so that nothing learned is ever overwritten unseen. False: it still
/// stands where it was.
bool set_aside(const std::filesystem::path& file, const std::string& why) {
    std::error_code error = std::make_error_code(std::errc::file_exists);
    for (int i = 1; i <= kMaxKeptAside; ++i) {
        auto aside = file;
        aside += i == 1 ? ".bad" : fmt::format(".bad{}", i);
        if (std::error_code ignored; std::filesystem::exists(aside, ignored)) {
            continue;
        }
        std::filesystem::rename(file, aside, error);
        if (!error) {
            log(LogLevel::Warning, fmt::format("{} cannot be used ({}); kept as {}, learning anew",
                                               file.string(), why, aside.string()));
            return true;
        }
        break;
    }
    log(LogLevel::Error,
        fmt::format("{} cannot be used ({}) nor moved away ({}); nothing learned will be written",
                    file.string(), why, error.message()));
    return false;
}

/// Tells of a failure when it is new, and again once an hour. On the writer's thread.
StateWriter::Done tell_of_failures(const base::Clock& clock) {
    return [&clock, told = std::pair<std::string, base::Mono>()](
               std::uint64_t, const std::optional<std::string>& why) mutable {
        const auto now = clock.now().mono;
        if (why && (*why != told.first || now - told.second >= kTellFailureAgain)) {
            log(LogLevel::Error, *why);
            told = {*why, now};
        } else if (!why) {
            told.first.clear();
        }
    };
}

}  // namespace

std::optional<LearnOptions> learn_options(const config::Model& wanted,
                                          const config::Model& started_with) {
    const auto& server = started_with.server;
    if (!wanted.geo.learn || !server.state_dir || !server.region) {
        return std::nullopt;
    }
    LearnOptions out;
    out.file = *server.state_dir / *wanted.geo.learn;
    out.region = started_with.regions[config::index(*server.region)].name;
    for (const auto& network : wanted.geo.networks) {
        out.networks.push_back(base::normalised(network.prefix).prefix);
    }
    return out;
}

std::string learned_text(std::vector<LearnedRtts::Row> rows, const std::string& region,
                         base::Wall now) {
    std::sort(rows.begin(), rows.end(),
              [](const auto& a, const auto& b) { return a.client < b.client; });
    std::string out = "client,region,rtt_ms,samples,age_days\n";
    for (const auto& row : rows) {
        const double age = std::max(0.0, Days(now - row.last).count());
        fmt::format_to(std::back_inserter(out), "{},{},{:.3f},{},{:.3f}\n", row.client.text(),
                       region, row.rtt_us / 1000.0, row.samples, age);
    }
    return out;
}

base::Result<std::vector<LearnedRtts::Row>, std::string> parse_learned(std::string_view text,
                                                                       const std::string& region,
                                                                       base::Wall written) {
    base::Problems problems;
    const geo::LatencyLimits any{1, std::numeric_limits<double>::infinity()};
    const auto table = geo::LatencyTable::parse(text, "", std::span(&region, 1), problems, any);
    if (!problems.all().empty()) {
        const auto& first = problems.all().front();
        return base::Err{fmt::format("line {}: {}", first.at.line, first.message)};
    }
    std::vector<LearnedRtts::Row> rows;
    for (const auto family : {base::IpFamily::V4, base::IpFamily::V6}) {
        const auto groups = table.groups(family);
        for (std::uint32_t i = 0; i < groups.size(); ++i) {
            const auto found = table.find_any(family, i, {}, 0);
            const unsigned length =
                family == base::IpFamily::V4 ? LearnedRtts::kPrefix4 : LearnedRtts::kPrefix6;
            if (!found || groups[i].prefix.length() != length || !found->row.samples ||
                !found->row.age_days) {
                return base::Err{groups[i].prefix.text() + " is no row of what was learned here"};
            }
            const auto us = std::clamp(found->row.rtt_ms * 1000, 1.0, 60e6);
            const auto age = std::chrono::round<std::chrono::seconds>(
                std::min(Days(*found->row.age_days), kOldest));
            rows.push_back({groups[i].prefix, static_cast<std::uint32_t>(std::lround(us)),
                            *found->row.samples, written - age});
        }
    }
    if (rows.size() != table.size()) {
        return base::Err{std::string("has rows of other clients than prefixes")};
    }
    return rows;
}

RttLearner::RttLearner(const base::Clock& clock, LearnOptions options, std::vector<RttFeed*> feeds)
    : clock_(clock),
      options_(std::move(options)),
      feeds_(std::move(feeds)),
      counted4_(who_counts<policy::Key4>(options_.networks)),
      counted6_(who_counts<policy::Key6>(options_.networks)),
      rtts_(kPrefixes, random_seed()) {
    if (restore()) {
        writer_ = std::make_unique<StateWriter>(options_.file, tell_of_failures(clock_));
    }
    for (auto* feed : feeds_) {
        feed->turn_on();
    }
}

RttLearner::~RttLearner() {
    for (auto* feed : feeds_) {
        feed->turn_off();
    }
    take_samples();
    if (changed_ || written_) {
        write();
    }
}

/// False where a file stands that may not be replaced.
bool RttLearner::restore() {
    const auto found = read_learned(options_.file);
    if (!found) {
        return set_aside(options_.file, found.error());
    }
    if (!found->has_value()) {
        return true;  // the first start
    }
    const auto now = clock_.now();
    const auto rows =
        parse_learned((*found)->text, options_.region, std::min((*found)->written, now.wall));
    if (!rows) {
        return set_aside(options_.file, rows.error());
    }
    for (const auto& row : *rows) {
        rtts_.restore(row);
    }
    written_ = now.mono;
    log(LogLevel::Notice,
        fmt::format("{}: {} learned round trips", options_.file.string(), rows->size()));
    return true;
}

bool RttLearner::counts(const base::IpAddress& client) const noexcept {
    return client.is_v4() ? is_in(counted4_, client.v4_value())
                          : is_in(counted6_, policy::key_of<policy::Key6>(client));
}

void RttLearner::take_samples() {
    const auto now = clock_.now().wall;
    for (auto* feed : feeds_) {
        feed->drain([&](const RttFeed::Sample& sample) {
            if (counts(sample.client)) {
                rtts_.record(sample.client, sample.rtt_us, now);
                changed_ = true;
            }
        });
    }
}

void RttLearner::collect() {
    take_samples();
    const auto now = clock_.now().mono;
    if (written_ ? now - *written_ >= (changed_ ? kWriteNews : kWriteAges) : changed_) {
        write();
    }
}

/// Sorting and writing are the writer's work; this thread copies the rows.
void RttLearner::write() {
    const auto now = clock_.now();
    written_ = now.mono;
    changed_ = false;
    if (writer_ != nullptr) {
        writer_->write(++version_, [rows = rtts_.rows(now.wall), region = options_.region,
                                    wall = now.wall]() mutable {
            return learned_text(std::move(rows), region, wall);
        });
    }
}

}  // namespace steerd::server
