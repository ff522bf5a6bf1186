// The two sides of a flood, each on a schedule and in few calls of the kernel, since client,
// attacker and server share a small machine: a legitimate client that asks from one address and
// times every answer, and an attacker who forges a new source for each query. Prints one JSON
// object.
//   traffic legit --to ADDRESS --port P --rate QPS --seconds S [--names N]
//   traffic spoof --to ADDRESS --port P --rate QPS --seconds S [--prefixes N] [--ask random|large]
// legit asks for nN.example.com, so many names in turn. spoof asks from 10.0.1.7 on, one address of
// each of so many /24s, for names that are not there or for big.example.com TXT; it needs
// CAP_NET_RAW and a local route for them (10.0.0.0/7), and takes what is answered into a socket
// that nobody reads. Made for a network namespace of its own: bench/flood.py. Thread rule: one
// thread.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kBatch = 64;
constexpr std::uint16_t kSpoofedPort = 5353;

struct Options {
    std::map<std::string, std::string> given;

    [[nodiscard]] double number(const std::string& key, double otherwise) const {
        const auto found = given.find(key);
        return found == given.end() ? otherwise : std::stod(found->second);
    }

    [[nodiscard]] sockaddr_in to() const {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(number("--port", 53)));
        ::inet_pton(AF_INET, given.at("--to").c_str(), &address.sin_addr);
        return address;
    }
};

void put_name(Octets& to, const std::string& name) {
    std::size_t begin = 0;
    while (begin < name.size()) {
        const std::size_t dot = std::min(name.find('.', begin), name.size());
        to.push_back(static_cast<std::uint8_t>(dot - begin));
        to.insert(to.end(), name.begin() + static_cast<std::ptrdiff_t>(begin),
                  name.begin() + static_cast<std::ptrdiff_t>(dot));
        begin = dot + 1;
    }
    to.push_back(0);
}

Octets query(const std::string& name, std::uint8_t type, bool edns) {
    Octets out{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(edns ? 1 : 0)};
    put_name(out, name);
    out.insert(out.end(), {0, type, 0, 1});
    if (edns) {
        out.insert(out.end(), {0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0});  // 4096
    }
    return out;
}

/// How many are due by now, at most `most`; what a late sender missed by more than a tenth of a
/// second is not made up for.
class Schedule {
  public:
    explicit Schedule(double rate) : rate_(rate) {}

    std::size_t due(Clock::time_point now, std::size_t most) {
        const double passed = std::chrono::duration<double>(now - begin_).count();
        const double missed = passed * rate_ - done_;
        if (missed > rate_ / 10) {
            done_ += missed - rate_ / 10;
        }
        const auto count = static_cast<std::size_t>(std::clamp(missed, 0.0, double(most)));
        done_ += static_cast<double>(count);
        return count;
    }

  private:
    double rate_;
    double done_ = 0;
    Clock::time_point begin_ = Clock::now();
};

/// Messages that are sent as they stand.
struct Batch {
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> iov{};

    Batch() {
        for (std::size_t i = 0; i < kBatch; ++i) {
            messages[i].msg_hdr.msg_iov = &iov[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
    }
};

class Legit {
  public:
    explicit Legit(const Options& options) : options_(options) {
        const auto names = static_cast<int>(options.number("--names", 5000));
        for (int i = 0; i < names; ++i) {
            queries_.push_back(query("n" + std::to_string(i) + ".example.com", 1, false));
        }
        const int room = 4 << 20;
        for (int& fd : sockets_) {
            fd = ::socket(AF_INET, SOCK_DGRAM, 0);
            ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
            const sockaddr_in to = options.to();
            ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
        }
        for (std::size_t i = 0; i < kBatch; ++i) {
            in_.iov[i] = {room_[i].data(), room_[i].size()};
        }
    }

    void run() {
        const double seconds = options_.number("--seconds", 1);
        Schedule schedule(options_.number("--rate", 1000));
        const auto begin = Clock::now();
        const auto end = begin + std::chrono::duration<double>(seconds);
        auto now = begin;
        while (now < end) {
            std::size_t count = schedule.due(now, kBatch);
            send(count, now);
            receive(count == 0 ? 1 : 0);
            now = Clock::now();
        }
        for (int i = 0; i < 300 && answered_ < sent_; ++i) {
            receive(1);
        }
        tell(seconds);
    }

  private:
    static constexpr std::size_t kSockets = 8;

    void send(std::size_t count, Clock::time_point now) {
        turn_ = (turn_ + 1) % kSockets;
        for (std::size_t i = 0; i < count; ++i) {
            Octets& one = queries_[next_];
            next_ = (next_ + 1) % queries_.size();
            const auto id = ids_[turn_]++;
            one[0] = static_cast<std::uint8_t>(id >> 8);
            one[1] = static_cast<std::uint8_t>(id);
            sent_at_[turn_][id] = now;
            out_.iov[i] = {one.data(), one.size()};
        }
        const int done = count == 0 ? 0
                                    : ::sendmmsg(sockets_[turn_], out_.messages.data(),
                                                 static_cast<unsigned>(count), 0);
        sent_ += static_cast<std::uint64_t>(std::max(done, 0));
    }

    void receive(int wait_ms) {
        std::array<pollfd, kSockets> ready{};
        for (std::size_t i = 0; i < kSockets; ++i) {
            ready[i] = {sockets_[i], POLLIN, 0};
        }
        if (::poll(ready.data(), ready.size(), wait_ms) <= 0) {
            return;
        }
        for (std::size_t s = 0; s < kSockets; ++s) {
            if (ready[s].revents == 0) {
                continue;
            }
            const int count =
                ::recvmmsg(sockets_[s], in_.messages.data(), kBatch, MSG_DONTWAIT, nullptr);
            const auto now = Clock::now();
            for (int i = 0; i < count; ++i) {
                take(s, room_[static_cast<std::size_t>(i)], now);
            }
        }
    }

    void take(std::size_t socket, const std::array<std::uint8_t, 1500>& answer,
              Clock::time_point now) {
        auto& at = sent_at_[socket][static_cast<std::size_t>(answer[0]) << 8 | answer[1]];
        const bool whole = (answer[2] & 2) == 0 && (answer[3] & 15) == 0 && answer[7] == 1;
        truncated_ += (answer[2] & 2) != 0 ? 1 : 0;
        if (whole && at != Clock::time_point()) {
            ++answered_;
            latencies_us_.push_back(std::chrono::duration<float, std::micro>(now - at).count());
            at = {};
        }
    }

    void tell(double seconds) {
        std::sort(latencies_us_.begin(), latencies_us_.end());
        const auto at = [&](double share) {
            return latencies_us_.empty()
                       ? 0.0F
                       : latencies_us_[static_cast<std::size_t>(
                             share * static_cast<double>(latencies_us_.size() - 1))];
        };
        std::printf(
            "{\"sent\": %llu, \"answered\": %llu, \"truncated\": %llu, \"sent_qps\": %.0f, "
            "\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f}\n",
            static_cast<unsigned long long>(sent_), static_cast<unsigned long long>(answered_),
            static_cast<unsigned long long>(truncated_), static_cast<double>(sent_) / seconds,
            static_cast<double>(at(0.5)), static_cast<double>(at(0.9)),
            static_cast<double>(at(0.99)));
    }

    const Options& options_;
    std::vector<Octets> queries_;
    std::array<int, kSockets> sockets_{};
    std::array<std::uint16_t, kSockets> ids_{};
    std::array<std::array<Clock::time_point, 65536>, kSockets> sent_at_{};
    Batch out_;
    Batch in_;
    std::array<std::array<std::uint8_t, 1500>, kBatch> room_{};
    std::vector<float> latencies_us_;
    std::size_t turn_ = 0;
    std::size_t next_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t truncated_ = 0;
};

class Spoof {
  public:
    explicit Spoof(const Options& options)
        : options_(options),
          prefixes_(static_cast<std::uint32_t>(options.number("--prefixes", 100'000))),
          large_(options.given.contains("--ask") && options.given.at("--ask") == "large"),
          to_(options.to()),
          fd_(::socket(AF_INET, SOCK_RAW, IPPROTO_RAW)) {
        const Octets ask =
            large_ ? query("big.example.com", 16, true) : query("abcdefgh.example.com", 1, false);
        for (std::size_t i = 0; i < kBatch; ++i) {
            build(packets_[i], ask);
            out_.iov[i] = {packets_[i].data(), packets_[i].size()};
            out_.messages[i].msg_hdr.msg_name = &to_;
            out_.messages[i].msg_hdr.msg_namelen = sizeof to_;
        }
        sink_ = ::socket(AF_INET, SOCK_DGRAM, 0);
        sockaddr_in any{};
        any.sin_family = AF_INET;
        any.sin_port = htons(kSpoofedPort);
        ok_ = fd_ >= 0 && ::bind(sink_, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
    }

    [[nodiscard]] bool ok() const { return ok_; }

    void run() {
        const double seconds = options_.number("--seconds", 1);
        Schedule schedule(options_.number("--rate", 1000));
        const auto begin = Clock::now();
        const auto end = begin + std::chrono::duration<double>(seconds);
        std::uint64_t sent = 0;
        for (auto now = begin; now < end; now = Clock::now()) {
            const std::size_t count = schedule.due(now, kBatch);
            if (count < kBatch / 4) {
                const timespec pause{0, 200'000};
                ::nanosleep(&pause, nullptr);
            }
            if (count == 0) {
                continue;
            }
            for (std::size_t i = 0; i < count; ++i) {
                forge(packets_[i]);
            }
            const int done = ::sendmmsg(fd_, out_.messages.data(), static_cast<unsigned>(count), 0);
            sent += static_cast<std::uint64_t>(std::max(done, 0));
        }
        std::printf("{\"sent\": %llu, \"sent_qps\": %.0f}\n", static_cast<unsigned long long>(sent),
                    static_cast<double>(sent) / seconds);
    }

  private:
    static constexpr std::size_t kNameAt = sizeof(iphdr) + sizeof(udphdr) + 12 + 1;

    void build(Octets& packet, const Octets& ask) const {
        packet.assign(sizeof(iphdr) + sizeof(udphdr), 0);
        iphdr ip{};
        ip.version = 4;
        ip.ihl = 5;
        ip.ttl = 64;
        ip.protocol = IPPROTO_UDP;
        ip.daddr = to_.sin_addr.s_addr;
        udphdr udp{};
        udp.source = htons(kSpoofedPort);
        udp.dest = to_.sin_port;
        udp.len = htons(static_cast<std::uint16_t>(sizeof udp + ask.size()));  // checksum 0: none
        std::memcpy(packet.data(), &ip, sizeof ip);
        std::memcpy(packet.data() + sizeof ip, &udp, sizeof udp);
        packet.insert(packet.end(), ask.begin(), ask.end());
    }

    std::uint64_t draw() {
        std::uint64_t x = state_ += 0x9E3779B97F4A7C15ULL;
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
        x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
        return x ^ x >> 31;
    }

    /// Another source, and another name where names are random.
    void forge(Octets& packet) {
        const std::uint64_t x = draw();
        const auto prefix = static_cast<std::uint32_t>(x % prefixes_);
        // 65,535 of them in 10/8, the next in 11/8.
        const std::uint32_t source = htonl(0x0A000000U + (prefix + 1) * 256 + 7);
        std::memcpy(packet.data() + offsetof(iphdr, saddr), &source, sizeof source);
        if (!large_) {
            std::uint64_t letters = draw();
            for (std::size_t i = 0; i < 8; ++i, letters >>= 8) {
                packet[kNameAt + i] = static_cast<std::uint8_t>('a' + letters % 26);
            }
        }
    }

    const Options& options_;
    std::uint32_t prefixes_;
    bool large_;
    sockaddr_in to_;
    int fd_;
    int sink_ = -1;
    bool ok_ = false;
    std::array<Octets, kBatch> packets_;
    Batch out_;
    std::uint64_t state_ = 1;
};

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    Options options;
    for (int i = 2; i + 1 < argc; i += 2) {
        options.given[argv[i]] = argv[i + 1];
    }
    if (!options.given.contains("--to") || (mode != "legit" && mode != "spoof")) {
        std::fputs("usage: see the head of bench/flood/traffic.cc\n", stderr);
        return 2;
    }
    if (mode == "legit") {
        std::make_unique<Legit>(options)->run();
        return 0;
    }
    Spoof spoof(options);
    if (!spoof.ok()) {
        std::fputs("traffic: no raw socket, or port 5353 is taken\n", stderr);
        return 1;
    }
    spoof.run();
    return 0;
}
