// See query_tap.h. Thread rule: as query_tap.h.
#include "server/query_tap.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "dns/query.h"
#include "server/dnstap_sink.h"
#include "server/log.h"
#include "server/process.h"

namespace steerd::server {

namespace {

/// A ring holds what comes in between at 100,000 queries a second.
constexpr std::chrono::milliseconds kBetweenLooks{20};

int rank(const config::QueryLogRule& rule) { return rule.name ? 0 : rule.zone ? 1 : 2; }

template <std::size_t N>
std::uint16_t keep(std::array<std::uint8_t, N>& to, const std::uint8_t* from, std::size_t size) {
    if (size > N) {
        return 0;
    }
    std::memcpy(to.data(), from, size);
    return static_cast<std::uint16_t>(size);
}

}  // namespace

TapPoint::TapPoint(const TapOrders& orders)
    : orders_(orders),
      rng_(orders.seed),
      ring_(std::make_unique_for_overwrite<TapRecord[]>(kRecords)) {}

/// The first rule that fits decides.
bool TapPoint::to_log(const policy::Snapshot& snapshot, const policy::Request& request,
                      const policy::Outcome& outcome) noexcept {
    if (orders_.rules.empty()) {
        return false;
    }
    std::optional<dns::NameView> qname;
    if (orders_.rules.front().name && request.query.size() > dns::kHeaderSize) {
        qname = dns::NameView::parse_wire(request.query.subspan(dns::kHeaderSize));
    }
    for (const auto& rule : orders_.rules) {
        bool fits = !rule.name && !rule.zone;
        if (rule.name) {
            fits = qname && *qname == rule.name->view();
        } else if (rule.zone && outcome.zone != policy::kNone) {
            fits = snapshot.plan->zone_set.slots()[outcome.zone].apex == *rule.zone;
        }
        if (fits) {
            return rule.one_in <= 1 || rng_.below(rule.one_in) == 0;
        }
    }
    return false;
}

void TapPoint::offer(const policy::Snapshot& snapshot, const policy::Request& request,
                     const policy::Outcome& outcome, const std::uint8_t* response,
                     std::uint16_t port) noexcept {
    const bool log = to_log(snapshot, request, outcome);
    if (!log && !orders_.dnstap) {
        return;
    }
    const auto at = written_.load(std::memory_order_relaxed);
    if (at - read_.load(std::memory_order_acquire) >= kRecords) {
        dropped_.add();
        return;
    }
    TapRecord& record = ring_[at % kRecords];
    record.log = log;
    record.dnstap = orders_.dnstap;
    record.transport = request.transport;
    record.sent_short = outcome.truncated || outcome.rcode == dns::Rcode::BadCookie;
    record.rcode = outcome.rcode;
    record.port = port;
    record.generation = snapshot.generation;
    record.draw = request.draw;
    record.at = request.now;
    record.client = request.client;
    record.query_size = keep(record.query, request.query.data(), request.query.size());
    record.response_size =
        orders_.dnstap ? keep(record.response, response, outcome.size) : std::uint16_t{0};
    written_.store(at + 1, std::memory_order_release);
}

std::unique_ptr<QueryTap> QueryTap::make(const config::ServerConfig& config,
                                         const SnapshotCell& snapshots) {
    if (config.query_log.empty() && !config.dnstap) {
        return nullptr;
    }
    return std::make_unique<QueryTap>(config, snapshots);
}

QueryTap::QueryTap(const config::ServerConfig& config, const SnapshotCell& snapshots)
    : orders_{config.query_log, config.dnstap.has_value(), random_seed()}, snapshots_(snapshots) {
    std::ranges::stable_sort(orders_.rules, {}, rank);
    if (config.dnstap) {
        dnstap_ = std::make_unique<DnstapSink>(*config.dnstap, config.identity);
    }
}

QueryTap::~QueryTap() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
}

TapPoint& QueryTap::add_point() {
    orders_.seed = base::mix64(orders_.seed + 1);
    return *points_.emplace_back(std::make_unique<TapPoint>(orders_));
}

void QueryTap::start() {
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "steerd-log");
        run();
    });
}

void QueryTap::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        const std::size_t done = drain();
        lock.lock();
        if (done == 0 && !stopping_) {
            wake_.wait_for(lock, kBetweenLooks);
        }
    }
    lock.unlock();
    (void)drain();
}

std::size_t QueryTap::drain() {
    (void)snapshots_.refresh();  // lets go of an old one, however busy it is here
    std::size_t done = 0;
    for (const auto& point : points_) {
        done += point->drain([&](const TapRecord& record) {
            const auto* snapshot = record.log ? snapshots_.refresh() : nullptr;
            if (snapshot != nullptr && !log_has_room()) {
                log_dropped_.add();
            } else if (snapshot != nullptr) {
                log(LogLevel::Info, query_line(record, *snapshot));
                lines_.add();
            }
            if (record.dnstap) {
                frames_.add(dnstap_->put(record));
            }
        });
    }
    return done;
}

TapCounts QueryTap::counts() const {
    TapCounts counts;
    counts.lines = lines_.load();
    counts.log_dropped = log_dropped_.load();
    counts.frames = frames_.load();
    counts.dnstap_dropped = dnstap_ ? dnstap_->dropped() : 0;
    for (const auto& point : points_) {
        counts.dropped += point->dropped();
    }
    return counts;
}

}  // namespace steerd::server
