// Stands between real resolvers and the live server and writes down every fetch: a port of its own
// for each resolver, questions handed on and answers handed back, so that the moment of a fetch,
// its answer and its TTL are exact and the server needs no log of queries. It asks on behalf of a
// client (RFC 7871), because all resolvers stand on loopback and the drilled clients do not, and
// takes the answer's OPT down to what the resolver had asked with (RFC 6891).
// Only UDP: the answers of a drill fit. Bounded: what comes beyond kMostFetches is handed on and
// not written down. Thread rule: its own thread from start() to stop(); logs are read after that.
#pragma once

#include <netinet/in.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "dns/name.h"
#include "dns/types.h"
#include "drill/live_fd.h"
#include "drill/validate_log.h"

namespace steerd::drill {

inline constexpr std::size_t kMostFetches = 1'000'000;

/// The number of a name; nullopt for one that is none of ours.
using NameNumber = std::function<std::optional<std::uint32_t>(const dns::Name&)>;
/// Whether an address belongs to what dies.
using IsDead = std::function<bool(const base::IpAddress&)>;

struct RelayOptions {
    base::SocketAddress server;  // IPv4
    base::IpPrefix client;       // on whose behalf
    dns::RrType type = dns::RrType::A;
    NameNumber number;  // called on the relay's thread
    IsDead dead;        // likewise; an answer with such an address is old
    base::Mono zero{};  // times are counted from here
};

/// An answer's addresses of `type` judged: is one of them dead, and their least TTL; nullopt where
/// it has none.
struct Told {
    bool old = false;
    std::uint32_t ttl_s = 0;
};

[[nodiscard]] std::optional<Told> told_in(std::span<const std::uint8_t> message, dns::RrType type,
                                          const IsDead& dead);

class ValidateRelay {
  public:
    ValidateRelay(RelayOptions options, std::size_t resolvers);
    ValidateRelay(const ValidateRelay&) = delete;
    ValidateRelay& operator=(const ValidateRelay&) = delete;
    ~ValidateRelay();

    /// What went wrong, or nothing.
    [[nodiscard]] std::optional<std::string> start();
    void stop();

    /// The port on 127.0.0.1 for one resolver. REQUIRES: started.
    [[nodiscard]] std::uint16_t port(std::size_t resolver) const { return lanes_[resolver].port; }

    /// REQUIRES: stopped.
    [[nodiscard]] std::vector<LoggedFetch> take_fetches(std::size_t resolver) {
        return std::move(lanes_[resolver].fetches);
    }

  private:
    struct Pending {
        std::uint16_t id = 0;
        std::optional<std::uint32_t> name;
        bool edns = false;
        double asked_s = -1;  // negative: none
        sockaddr_in from{};
    };

    struct Lane {
        std::uint16_t port = 0;
        LiveFd down, up;               // to the resolver, to the server
        std::vector<Pending> pending;  // by the id towards the server
        std::uint16_t next_id = 0;
        std::vector<LoggedFetch> fetches;
    };

    void run();
    void from_resolver(Lane& lane);
    void from_server(Lane& lane);
    [[nodiscard]] double since_zero(base::Mono at) const noexcept;

    RelayOptions options_;
    base::RealClock clock_;
    std::vector<Lane> lanes_;
    std::atomic<bool> ends_{false};
    std::thread thread_;
};

}  // namespace steerd::drill
