// The numbers of the protocol and their words: RR types, classes, opcodes, RCODEs.
// IANA "Domain Name System (DNS) Parameters"; unknown types by RFC 3597.
// Pure; no state. Thread rule: any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steerd::dns {

/// Any 16-bit value may occur; only those named here mean something to this server.
enum class RrType : std::uint16_t {
    A = 1,
    NS = 2,
    CNAME = 5,
    SOA = 6,
    PTR = 12,
    HINFO = 13,
    MX = 15,
    TXT = 16,
    RP = 17,
    AFSDB = 18,
    SIG = 24,
    KEY = 25,
    AAAA = 28,
    LOC = 29,
    SRV = 33,
    NAPTR = 35,
    KX = 36,
    CERT = 37,
    DNAME = 39,
    OPT = 41,
    APL = 42,
    DS = 43,
    SSHFP = 44,
    RRSIG = 46,
    NSEC = 47,
    DNSKEY = 48,
    NSEC3 = 50,
    NSEC3PARAM = 51,
    TLSA = 52,
    SMIMEA = 53,
    CDS = 59,
    CDNSKEY = 60,
    OPENPGPKEY = 61,
    CSYNC = 62,
    ZONEMD = 63,
    SVCB = 64,
    HTTPS = 65,
    TKEY = 249,
    TSIG = 250,
    IXFR = 251,
    AXFR = 252,
    ANY = 255,
    URI = 256,
    CAA = 257,
};

enum class RrClass : std::uint16_t { IN = 1, CH = 3, HS = 4, NONE = 254, ANY = 255 };

enum class Opcode : std::uint8_t {
    Query = 0,
    IQuery = 1,
    Status = 2,
    Notify = 4,
    Update = 5,
    Dso = 6
};

/// The 12-bit extended RCODE (RFC 6891 §6.1.3).
enum class Rcode : std::uint16_t {
    NoError = 0,
    FormErr = 1,
    ServFail = 2,
    NxDomain = 3,
    NotImp = 4,
    Refused = 5,
    YxDomain = 6,
    NotAuth = 9,
    BadVers = 16,
    BadCookie = 23,
};

/// "A", "HTTPS", or "TYPE65534" for a type without a word.
[[nodiscard]] std::string to_text(RrType type);
/// The word in any case, or "TYPEnnn".
[[nodiscard]] std::optional<RrType> parse_type(std::string_view text) noexcept;
/// "NOERROR", "NXDOMAIN", or "RCODE17".
[[nodiscard]] std::string to_text(Rcode rcode);
/// "IN", "CH", or "CLASS17".
[[nodiscard]] std::string to_text(RrClass rrclass);

/// Seconds that a record may be cached: 0 .. 2^31-1 (RFC 2181 §8). Not a chrono duration, so that
/// nobody hands milliseconds to a resolver by mistake.
class Ttl {
  public:
    static constexpr std::uint32_t kMax = 0x7FFFFFFF;

    constexpr Ttl() = default;

    /// Values over the maximum count as 0 (RFC 2181 §8).
    explicit constexpr Ttl(std::uint32_t seconds) noexcept : s_(seconds <= kMax ? seconds : 0) {}

    [[nodiscard]] constexpr std::uint32_t seconds() const noexcept { return s_; }

    friend constexpr auto operator<=>(Ttl, Ttl) = default;

  private:
    std::uint32_t s_ = 0;
};

}  // namespace steerd::dns
