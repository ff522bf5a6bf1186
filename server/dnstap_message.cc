// dnstap.proto (dnstap.info) in the wire format of Protocol Buffers: two nested messages of a dozen
// fields, so a writer of forty lines instead of a compiler and its runtime. Fields of a message may
// stand in any order; a nested one needs its size before it, so it is made first.
// Thread rule: pure.
#include <chrono>

#include "server/dnstap_sink.h"
#include "server/query_tap.h"

namespace steerd::server {

namespace {

// dnstap.proto: Dnstap
constexpr unsigned kIdentity = 1;
constexpr unsigned kVersion = 2;
constexpr unsigned kMessage = 14;
constexpr unsigned kType = 15;
constexpr std::uint64_t kTypeMessage = 1;
// Message
constexpr unsigned kMessageType = 1;
constexpr unsigned kSocketFamily = 2;
constexpr unsigned kSocketProtocol = 3;
constexpr unsigned kQueryAddress = 4;
constexpr unsigned kQueryPort = 6;
constexpr unsigned kQuerySeconds = 8;
constexpr unsigned kQueryNanoseconds = 9;
constexpr unsigned kQueryMessage = 10;
constexpr unsigned kResponseSeconds = 12;
constexpr unsigned kResponseNanoseconds = 13;
constexpr unsigned kResponseMessage = 14;
constexpr std::uint64_t kAuthQuery = 1;
constexpr std::uint64_t kAuthResponse = 2;

class Protobuf {
  public:
    void varint(unsigned field, std::uint64_t value) {
        raw(field << 3U);
        raw(value);
    }

    void fixed32(unsigned field, std::uint32_t value) {
        raw(field << 3U | 5U);
        for (unsigned shift = 0; shift < 32; shift += 8) {
            octets_.push_back(static_cast<std::uint8_t>(value >> shift));
        }
    }

    void bytes(unsigned field, std::span<const std::uint8_t> value) {
        raw(field << 3U | 2U);
        raw(value.size());
        octets_.insert(octets_.end(), value.begin(), value.end());
    }

    void text(unsigned field, std::string_view value) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): octets of a text
        bytes(field, {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
    }

    [[nodiscard]] std::vector<std::uint8_t> take() noexcept { return std::move(octets_); }

  private:
    void raw(std::uint64_t value) {
        while (value >= 0x80) {
            octets_.push_back(static_cast<std::uint8_t>(value | 0x80U));
            value >>= 7U;
        }
        octets_.push_back(static_cast<std::uint8_t>(value));
    }

    std::vector<std::uint8_t> octets_;
};

}  // namespace

std::vector<std::uint8_t> dnstap_message(const TapRecord& record, bool response,
                                         const std::string& identity) {
    const auto since = record.at.wall.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const auto rest = static_cast<std::uint32_t>((since - seconds).count());
    Protobuf message;
    message.varint(kMessageType, response ? kAuthResponse : kAuthQuery);
    message.varint(kSocketFamily, record.client.is_v4() ? 1 : 2);
    message.varint(kSocketProtocol, record.transport == policy::Transport::Udp ? 1 : 2);
    message.bytes(kQueryAddress, record.client.octets());
    if (record.port != 0) {
        message.varint(kQueryPort, record.port);
    }
    message.varint(kQuerySeconds, static_cast<std::uint64_t>(seconds.count()));
    message.fixed32(kQueryNanoseconds, rest);
    if (!response && record.query_size > 0) {
        message.bytes(kQueryMessage, std::span(record.query).first(record.query_size));
    }
    if (response) {
        message.varint(kResponseSeconds, static_cast<std::uint64_t>(seconds.count()));
        message.fixed32(kResponseNanoseconds, rest);
        if (record.response_size > 0) {
            message.bytes(kResponseMessage, std::span(record.response).first(record.response_size));
        }
    }
    Protobuf dnstap;
    if (!identity.empty()) {
        dnstap.text(kIdentity, identity);
    }
    dnstap.text(kVersion, "steerd " STEERD_VERSION);
    dnstap.bytes(kMessage, message.take());
    dnstap.varint(kType, kTypeMessage);
    return dnstap.take();
}

}  // namespace steerd::server
