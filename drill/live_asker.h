// One UDP socket from which all stubs and monitors of a live drill ask the server: who asked is
// found again by the query's id. Late answers find nobody and are dropped. Only ever connected to
// the server's loopback address. Thread rule: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/ip.h"
#include "dns/name.h"
#include "drill/live_dns.h"
#include "drill/live_fd.h"

namespace steerd::drill {

class LiveAsker {
  public:
    /// Not good() where there is no socket.
    LiveAsker(const base::IpAddress& from, const base::SocketAddress& server);

    [[nodiscard]] bool good() const noexcept { return static_cast<bool>(socket_); }

    [[nodiscard]] int fd() const noexcept { return socket_.get(); }

    /// A number by which the answer is told; an older question of that number is forgotten.
    void ask(std::uint32_t who, const dns::Name& name, const base::IpPrefix& subnet);
    /// Whoever it was is not waiting any more.
    void forget(std::uint32_t who);
    /// All answers that have arrived.
    void receive(const std::function<void(std::uint32_t, const LiveReply&)>& answered);

  private:
    static constexpr std::uint32_t kNobody = 0xFFFFFFFF;
    static constexpr std::uint32_t kNoId = 0x10000;

    LiveFd socket_;
    std::vector<std::uint32_t> who_;  // by id
    std::vector<std::uint32_t> ids_;  // by who
    std::uint16_t next_id_ = 0;
};

}  // namespace steerd::drill
