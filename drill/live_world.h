// The real world of a live drill: a directory of its own, a rewritten configuration in it, an
// endpoint process for each address, and `steerd serve` on 127.0.0.0/8 before them; events of the
// scenario happen to them in earnest. What the server says of it is kept with its moments. All of
// it ends with this object, and with the process or the thread that made it, however that dies.
// Has no clients: who asks is the caller's (live_population.h, or a validating drill).
// Thread rule: one thread, the one that made it; the processes die with that thread.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "base/problem.h"
#include "drill/live_config.h"
#include "drill/live_folder.h"
#include "drill/live_server.h"
#include "drill/live_site.h"
#include "drill/scenario.h"
#include "drill/virtual_events.h"
#include "drill/virtual_world.h"

namespace steerd::drill {

struct LiveOptions {
    std::filesystem::path program = "/proc/self/exe";  // steerd
    /// Names of its own below the drilled name's zone, on the same route with the same TTLs:
    /// name(i) for any i.
    bool names = false;
    /// The TTL of those names, without a countdown; nullopt: as the drilled name's.
    std::optional<std::uint32_t> names_ttl_s;
    /// Asked now and then while something is waited for; true: give up.
    std::function<bool()> cancelled;
};

class LiveWorld {
  public:
    /// Returns when the server answers and has checked every endpoint once; nullptr where
    /// `problems` got an error. Waits at most half a minute.
    /// The scenario and what is bound to it must outlive it.
    [[nodiscard]] static std::unique_ptr<LiveWorld> start(const Scenario& scenario,
                                                          const Bound& bound, LiveOptions options,
                                                          base::Problems& problems);
    LiveWorld(const LiveWorld&) = delete;
    LiveWorld& operator=(const LiveWorld&) = delete;
    /// Ends every process and removes the directory.
    ~LiveWorld();

    /// Where the server answers, over UDP and TCP; the same after a restart.
    [[nodiscard]] const base::SocketAddress& server() const noexcept { return server_address_; }

    /// Endpoints take what comes from here for clients, and all else for probes.
    [[nodiscard]] const base::IpAddress& client() const noexcept { return layout_.client; }

    /// The directory, for whatever else is to vanish with it.
    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_.path(); }

    /// A name on the drilled route; any number of them. REQUIRES: options.names.
    [[nodiscard]] std::string name(std::size_t number) const;
    /// Apex of the drilled name's zone.
    [[nodiscard]] const dns::Name& zone() const noexcept;
    /// Whose address an answer of the server holds; nullopt for none of ours.
    [[nodiscard]] std::optional<policy::EndpointId> endpoint_at(
        const base::IpAddress& address) const;

    /// From now on moments count from here; those before are negative.
    void begin(base::Mono zero);

    [[nodiscard]] base::Mono zero() const noexcept { return zero_; }

    /// Makes the event with this number of the scenario happen now.
    void happen(std::size_t event);
    /// Reads the log, carries on with what takes time. To be called at least every 20 ms, and when
    /// log_fd() is readable, since words get the moment at which they are read.
    void tick();

    [[nodiscard]] int log_fd() const noexcept { return server_.log_fd(); }

    /// The next moment at which tick() has something to do besides the log.
    [[nodiscard]] base::Mono next() const noexcept;

    [[nodiscard]] bool server_running() const noexcept { return server_.running(); }

    // What came of it; moments since begin().
    [[nodiscard]] const DrillLog& log() const noexcept { return log_; }

    [[nodiscard]] const std::vector<AuthorityState>& authority() const noexcept {
        return authority_;
    }

    /// Of the real endpoints, for the figures.
    [[nodiscard]] const VirtualWorld& truth() const noexcept { return truth_; }

    /// When the server said something after which answers may be others.
    [[nodiscard]] const std::vector<base::Mono>& turns() const noexcept { return turns_; }

    [[nodiscard]] const JudgedBy& judged_by() const noexcept { return judged_by_; }

    [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

    /// Events that the server has not said it heard of.
    [[nodiscard]] std::vector<std::string> unheard() const;

    /// Why it cannot go on; empty: it can.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

  private:
    struct Flap {
        std::size_t site = 0;
        base::Mono since{};
        base::Duration period{}, dead{};
        base::Mono next{};
        bool down = true;
    };

    /// What the server's log is searched for, on behalf of an event.
    struct Awaited {
        std::size_t event = 0;
        std::string word;
        std::size_t from = 0;  // line
        base::Mono deadline{};
    };

    LiveWorld(const Scenario& scenario, const Bound& bound, LiveOptions options);
    [[nodiscard]] std::optional<std::string> set_up(base::Problems& problems);
    [[nodiscard]] std::optional<std::string> reserve_ports();
    [[nodiscard]] std::optional<std::string> write_config() const;
    [[nodiscard]] std::optional<std::string> wait_for_server();
    void on_endpoints(const ScenarioEvent& event, std::size_t number);
    void on_server(const ScenarioEvent& event, std::size_t number);
    void order(const ScenarioEvent& event, std::size_t number);
    void weigh(const ScenarioEvent& event, std::size_t number);
    void flap(base::Mono now);
    void hear();
    void believe(const TransitionWord& word, base::Mono at);
    void remark(const ScenarioEvent& event, const std::string& what);
    void heed(const std::optional<std::string>& problem);
    [[nodiscard]] base::Mono now() const noexcept;
    [[nodiscard]] base::Mono since_begin(base::Mono at) const noexcept;
    [[nodiscard]] std::vector<std::size_t> sites_of(std::size_t event) const;

    const Scenario& scenario_;
    const Bound& bound_;
    LiveOptions options_;
    base::RealClock clock_;
    LiveFolder folder_;
    LiveLayout layout_;
    config::TomlNode config_;
    std::vector<LiveFd> reserved_;  // ports, kept for endpoints that come back
    std::vector<std::unique_ptr<LiveSite>> sites_;
    LiveServer server_;
    base::SocketAddress server_address_;
    base::Mono zero_{};
    std::vector<Flap> flaps_;
    std::vector<Awaited> awaited_;
    std::size_t heard_ = 0;  // lines
    bool hung_ = false;
    VirtualWorld truth_;
    JudgedBy judged_by_;
    DrillLog log_;
    std::vector<AuthorityState> authority_;
    std::vector<base::Mono> turns_;
    std::vector<std::string> notes_;
    std::string failure_;
};

}  // namespace steerd::drill
