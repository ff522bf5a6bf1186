#include "health/probers/dns_exchange.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace steerd::probers {

namespace {

/// Datagrams read in one turn of the loop, so that a flood holds up nobody.
constexpr int kReadsPerTurn = 16;
constexpr std::size_t kHeader = 12;

/// Lets every ICMP unreachable reach the socket, not only that for the port (ip(7)).
void want_errors(int fd, base::IpFamily family) {
    const int on = 1;
    if (family == base::IpFamily::V4) {
        ::setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    } else {
        ::setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    }
}

bool is_truncated(std::span<const std::uint8_t> message) { return (message[2] & 0x02) != 0; }

}  // namespace

DnsExchange::DnsExchange(uv_loop_t* loop, base::Rng& rng, DnsAsk ask, Done done)
    : loop_(loop),
      ask_(std::move(ask)),
      done_(std::move(done)),
      id_(static_cast<std::uint16_t>(rng.next())),
      tries_left_(ask_.tries),
      retry_(loop, [this] { send_try(); }) {
    dns::QueryOptions options;
    options.id = id_;
    options.recursion_desired = true;
    query_ = dns::compose_query(ask_.name, ask_.type, options);
}

void DnsExchange::begin() {
    if (!open(udp_, Transport::Udp, &DnsExchange::on_datagram)) {
        return;
    }
    want_errors(udp_.fd.get(), ask_.server.address.family());
    udp_.poll->watch(UV_READABLE);
    send_try();
}

bool DnsExchange::open(Channel& channel, Transport transport, void (DnsExchange::*on_ready)(int)) {
    channel.fd = open_socket(ask_.server.address.family(), transport);
    if (!channel.fd.valid()) {
        fail(errno, Reported::AtOnce);
        return false;
    }
    const int error = connect_socket(channel.fd.get(), ask_.server);
    if (error != 0 && error != EINPROGRESS) {
        fail(error, Reported::AtOnce);
        return false;
    }
    channel.poll =
        std::make_unique<UvPoll>([this, on_ready](int ready) { (this->*on_ready)(ready); });
    if (const int refused = channel.poll->open(loop_, channel.fd.get()); refused != 0) {
        fail(-refused, Reported::AtOnce);
        return false;
    }
    return true;
}

void DnsExchange::send_try() {
    const bool first = tries_left_ == ask_.tries;
    --tries_left_;
    if (::send(udp_.fd.get(), query_.data(), query_.size(), MSG_NOSIGNAL) < 0) {
        fail(errno, first ? Reported::AtOnce : Reported::Later);
        return;
    }
    if (tries_left_ > 0) {
        retry_.start(ask_.per_try);
    }
}

void DnsExchange::on_datagram(int /*ready*/) {
    std::array<std::uint8_t, 4096> buffer;
    for (int n = 0; n < kReadsPerTurn && !finished_; ++n) {
        const ssize_t got = ::recv(udp_.fd.get(), buffer.data(), buffer.size(), 0);
        if (got < 0) {
            if (errno != EAGAIN && errno != EINTR) {
                fail(errno, Reported::Later);
            }
            break;
        }
        take_answer({buffer.data(), static_cast<std::size_t>(got)});
        if (tcp_.poll != nullptr) {
            return;  // the rest comes there
        }
    }
    if (!finished_) {
        udp_.poll->watch(UV_READABLE);  // an error would have ended the watch
    }
}

void DnsExchange::take_answer(std::span<const std::uint8_t> octets) {
    if (octets.size() < kHeader || (octets[0] << 8 | octets[1]) != id_) {
        return;
    }
    const bool over_udp = tcp_.poll == nullptr;
    auto message = dns::parse_message(octets);
    if (message && !is_answer(*message)) {
        return;
    }
    if (over_udp && ask_.tcp_when_truncated && is_truncated(octets)) {
        start_tcp();
    } else if (message) {
        finish({std::move(message).value(), {}});
    } else {
        finish({std::nullopt, {health::Outcome::Fail, printable("malformed: " + message.error())}});
    }
}

bool DnsExchange::is_answer(const dns::Message& message) const {
    if (!message.response || message.opcode != dns::Opcode::Query) {
        return false;
    }
    if (message.questions.empty()) {
        return message.rcode !=
               dns::Rcode::NoError;  // a server that could not read it (RFC 1035 §4.1.1)
    }
    const dns::Question& question = message.questions.front();
    return message.questions.size() == 1 && question.name == ask_.name &&
           question.type == ask_.type && question.rrclass == dns::RrClass::IN;
}

void DnsExchange::start_tcp() {
    retry_.stop();
    udp_.poll->stop();
    if (!open(tcp_, Transport::Tcp, &DnsExchange::on_stream)) {
        return;
    }
    to_write_ = {static_cast<std::uint8_t>(query_.size() >> 8),
                 static_cast<std::uint8_t>(query_.size())};
    to_write_.insert(to_write_.end(), query_.begin(), query_.end());
    tcp_.poll->watch(UV_WRITABLE);
}

void DnsExchange::on_stream(int /*ready*/) {
    if (!connected_) {
        if (const int error = pending_error(tcp_.fd.get()); error != 0) {
            fail(error, Reported::Later);
            return;
        }
        connected_ = true;
    }
    if (!write_stream() || !read_stream()) {
        tcp_.poll->stop();
        return;
    }
    tcp_.poll->watch(written_ < to_write_.size() ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

bool DnsExchange::write_stream() {
    while (written_ < to_write_.size()) {
        const ssize_t sent = ::send(tcp_.fd.get(), to_write_.data() + written_,
                                    to_write_.size() - written_, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EINTR) {
                return true;
            }
            fail(errno, Reported::Later);
            return false;
        }
        written_ += static_cast<std::size_t>(sent);
    }
    return true;
}

bool DnsExchange::read_stream() {
    std::array<std::uint8_t, 16384> buffer;
    const ssize_t got = ::recv(tcp_.fd.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (got <= 0) {
        fail(got == 0 ? ECONNRESET : errno, Reported::Later);
        return false;
    }
    received_.insert(received_.end(), buffer.begin(), buffer.begin() + got);
    if (received_.size() < 2) {
        return true;
    }
    const std::size_t length = std::size_t{received_[0]} << 8 | received_[1];
    if (received_.size() < 2 + length) {
        return true;
    }
    take_answer(std::span(received_).subspan(2, length));
    if (!finished_) {
        finish({std::nullopt, {health::Outcome::Fail, "malformed: not an answer to our question"}});
    }
    return false;
}

void DnsExchange::fail(int error, Reported reported) {
    finish({std::nullopt, judge_error(error, reported)});
}

void DnsExchange::finish(DnsReply reply) {
    if (finished_) {
        return;
    }
    finished_ = true;
    retry_.stop();
    if (udp_.poll != nullptr) {
        udp_.poll->stop();
    }
    done_(std::move(reply));
}

}  // namespace steerd::probers
