// One question to one server as a client: over UDP, again when nothing comes, over TCP when the
// answer was truncated and the caller wants the whole. RFC 1035 §4.2, RFC 5452 §9 (only an answer
// with our id and question, from the address that was asked, is one; anything else is passed over),
// RFC 7766 §8. No EDNS: what is asked for here fits, and every server understands it.
// Thread rule: the pool's thread.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/ip.h"
#include "base/rng.h"
#include "dns/message.h"
#include "health/probers/job.h"
#include "health/probers/socket.h"
#include "health/probers/uv_handles.h"

namespace steerd::probers {

struct DnsAsk {
    base::SocketAddress server;
    dns::Name name;
    dns::RrType type{};
    unsigned tries = 1;
    /// Until the next try; the last one waits until the exchange is destroyed.
    base::Duration per_try = std::chrono::seconds(1);
    bool tcp_when_truncated = false;
};

struct DnsReply {
    std::optional<dns::Message> message;
    Judgement failure;  // without a message: why
};

class DnsExchange {
  public:
    /// Called once; the exchange must not be destroyed inside the call.
    using Done = std::function<void(DnsReply)>;

    DnsExchange(uv_loop_t* loop, base::Rng& rng, DnsAsk ask, Done done);
    DnsExchange(const DnsExchange&) = delete;
    DnsExchange& operator=(const DnsExchange&) = delete;
    ~DnsExchange() = default;

    /// May be done before this returns.
    void begin();

  private:
    /// A descriptor with its poll, closed in the right order.
    struct Channel {
        Fd fd;
        std::unique_ptr<UvPoll> poll;
    };

    bool open(Channel& channel, Transport transport, void (DnsExchange::*on_ready)(int));
    void send_try();
    void on_datagram(int ready);
    void start_tcp();
    void on_stream(int ready);
    bool write_stream();
    bool read_stream();
    [[nodiscard]] bool is_answer(const dns::Message& message) const;
    void take_answer(std::span<const std::uint8_t> octets);
    void fail(int error, Reported reported);
    void finish(DnsReply reply);

    uv_loop_t* loop_;
    DnsAsk ask_;
    Done done_;
    std::uint16_t id_;
    std::vector<std::uint8_t> query_;
    unsigned tries_left_;
    bool finished_ = false;
    UvTimer retry_;
    Channel udp_;
    Channel tcp_;
    bool connected_ = false;
    std::vector<std::uint8_t> to_write_;  // length and query
    std::size_t written_ = 0;
    std::vector<std::uint8_t> received_;
};

}  // namespace steerd::probers
