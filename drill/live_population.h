// The clients of a live drill: a bounded sample of the scenario's resolver caches, each living by
// the simulated cache's own model but fetching over UDP from the real server, with the subnet of
// its place; and a monitor that asks for each place many times a second. It writes down what was
// fetched and seen; what clients made of it is worked out afterwards (live_record.h). Bounded in
// caches, in questions a second and in what it keeps. Thread rule: one owner.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "drill/engine_sample.h"
#include "drill/live_asker.h"
#include "drill/live_record.h"
#include "drill/live_world.h"
#include "drill/virtual_clients.h"

namespace steerd::drill {

inline constexpr std::size_t kMostLiveCaches = 2000;
inline constexpr double kMostLiveQueries = 4000;  // a second, of all caches
inline constexpr double kMostMonitorQueries = 1000;

/// One simulated cache that really asks.
struct LiveCache {
    Sampled sampled;  // what it stands for, scaled to the sample
    std::size_t strand = 0;
    const CacheModel* model = nullptr;
    std::uint32_t group = 0;  // of clients
    base::Rng client{0};      // as its client begins, in the record and in the replay
    LiveRecord record;
};

class LivePopulation {
  public:
    /// All of these must outlive it. `skeleton`: cells and one class for each group.
    LivePopulation(const Scenario& scenario, const Bound& bound, LiveWorld& world,
                   const Clients& clients, const Timeline& skeleton);

    /// Each cache gets its first answer and the state in which time 0 finds it; what went wrong, or
    /// nothing. `cancelled` is asked now and then.
    [[nodiscard]] std::optional<std::string> warm_up(const std::function<bool()>& cancelled);
    /// From time 0, which is now, to the end of the drill, or until the world fails.
    [[nodiscard]] std::optional<std::string> run(const std::function<bool()>& cancelled,
                                                 const std::function<void(double)>& progress);

    [[nodiscard]] const std::vector<LiveCache>& caches() const noexcept { return caches_; }

    [[nodiscard]] const std::vector<LiveSample>& samples() const noexcept { return samples_; }

    [[nodiscard]] const std::vector<Answer>& answers() const noexcept { return answers_; }

    [[nodiscard]] const std::vector<std::string>& class_names() const noexcept {
        return sampler_.class_names();
    }

    /// Seconds between two questions of the monitor for one place.
    [[nodiscard]] double monitor_gap_s() const noexcept { return monitor_gap_s_; }

    /// Of the scenario, which the caches stand for.
    [[nodiscard]] double resolvers() const noexcept { return resolvers_; }

    /// How late an event happened, at worst.
    [[nodiscard]] double latest_s() const noexcept { return latest_s_; }

  private:
    /// Where a cache stands between two fetches.
    struct Waiting {
        base::Rng rng{0};
        double asked = -1;  // since when an answer is awaited; negative: none is
        Patience patience{RetryRule{}};
        std::uint32_t turn = 0;
    };

    struct Due {
        double at = 0;
        std::uint32_t cache = 0;
        std::uint32_t turn = 0;  // of Waiting; another one: of no account any more

        friend bool operator>(const Due& a, const Due& b) noexcept { return a.at > b.at; }
    };

    void sample_caches();
    void plan_monitor(double duration);
    void settle(LiveCache& cache, Waiting& waiting, std::uint32_t number);
    void plan(std::uint32_t cache, double at);
    void act(std::uint32_t cache, double at);
    void fetched(std::uint32_t cache, const LiveReply& reply, double at);
    void failed(std::uint32_t cache, double at);
    void monitor(double at);
    void answered(std::uint32_t who, const LiveReply& reply, double at);
    void events_due(double at);
    void wait(double until) const;
    [[nodiscard]] std::uint32_t answer_id(const LiveReply& reply);
    [[nodiscard]] double now() const;

    const Scenario& scenario_;
    const Bound& bound_;
    LiveWorld& world_;
    const Clients& clients_;
    base::RealClock clock_;
    std::vector<DemandSpec> demands_;
    Sampler sampler_;
    LiveAsker asker_;
    FlatTimeline first_;  // one piece for each group: what was answered before time 0
    std::vector<LiveCache> caches_;
    std::vector<Waiting> waiting_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    std::vector<std::uint32_t> monitored_;  // groups
    double monitor_gap_s_ = 0.05;
    double next_monitor_ = 0;
    std::size_t monitor_turn_ = 0;
    std::vector<LiveSample> samples_;
    std::map<std::pair<std::vector<policy::EndpointId>, bool>, std::uint32_t> answer_ids_;
    std::vector<Answer> answers_;
    std::map<base::IpAddress, policy::EndpointId> owners_;
    std::size_t next_event_ = 0;
    double resolvers_ = 0;
    double latest_s_ = 0;
};

}  // namespace steerd::drill
