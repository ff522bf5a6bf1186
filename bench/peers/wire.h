// What the load generator asks and how it judges what comes back: queries as octets from a file,
// one slot for each query under way, a histogram of round trips. Knows no socket.
// An answer is right when id, QR, question, RCODE, TC and the presence of records are as expected;
// so no server gets a figure for answers that nobody could use. RFC 1035 §4.1.
// File: for each query its length (2 octets, big-endian), the expected RCODE (1 octet), whether it
// has answer records (1 octet), the message. Thread rule: one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace peers {

using Nanos = std::uint64_t;

inline Nanos now() {
    return static_cast<Nanos>(std::chrono::steady_clock::now().time_since_epoch().count());
}

struct Query {
    const std::uint8_t* octets = nullptr;
    std::uint16_t size = 0;
    std::uint16_t question_end = 0;
    std::uint8_t rcode = 0;
    bool has_records = false;
};

class Queries {
  public:
    explicit Queries(const std::string& path) {
        std::FILE* const file = std::fopen(path.c_str(), "rb");
        if (file == nullptr) {
            throw std::runtime_error("cannot read " + path);
        }
        std::array<std::uint8_t, 1 << 16> piece{};
        for (std::size_t n = 0; (n = std::fread(piece.data(), 1, piece.size(), file)) > 0;) {
            bytes_.insert(bytes_.end(), piece.begin(), piece.begin() + static_cast<long>(n));
        }
        std::fclose(file);
        for (std::size_t at = 0; at + 4 < bytes_.size();) {
            Query query;
            query.size = static_cast<std::uint16_t>(bytes_[at] << 8 | bytes_[at + 1]);
            query.rcode = bytes_[at + 2];
            query.has_records = bytes_[at + 3] != 0;
            query.octets = &bytes_[at + 4];
            std::size_t end = 12;
            while (query.octets[end] != 0) {
                end += query.octets[end] + 1U;
            }
            query.question_end = static_cast<std::uint16_t>(end + 5);
            all_.push_back(query);
            at += 4U + query.size;
        }
        if (all_.empty()) {
            throw std::runtime_error("no queries in " + path);
        }
    }

    [[nodiscard]] const Query& operator[](std::size_t i) const { return all_[i]; }

    [[nodiscard]] std::size_t next() {
        const std::size_t i = next_;
        next_ = next_ + 1 == all_.size() ? 0 : next_ + 1;
        return i;
    }

    [[nodiscard]] const Query& peek() const { return all_[next_]; }

  private:
    std::vector<std::uint8_t> bytes_;
    std::vector<Query> all_;
    std::size_t next_ = 0;
};

struct Tally {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t wrong = 0;  // received, and not what was asked for
    std::uint64_t lost = 0;   // no answer within kPatience
    /// 0.1 us each up to 10 ms, then 10 us each up to 1 s.
    std::array<std::uint32_t, 100000> fine{};
    std::array<std::uint32_t, 100000> coarse{};

    void count(Nanos took) {
        if (took < 10'000'000) {
            ++fine[took / 100];
        } else {
            ++coarse[std::min<std::size_t>(took / 10'000, coarse.size() - 1)];
        }
    }

    /// Microseconds.
    [[nodiscard]] double percentile(double share) const {
        auto left = static_cast<std::uint64_t>(static_cast<double>(received) * share);
        for (std::size_t i = 0; i < fine.size(); ++i) {
            if (fine[i] > left) {
                return static_cast<double>(i) / 10;
            }
            left -= fine[i];
        }
        for (std::size_t i = 0; i < coarse.size(); ++i) {
            if (coarse[i] > left) {
                return static_cast<double>(i) * 10;
            }
            left -= coarse[i];
        }
        return 0;
    }
};

/// The queries under way on one socket. The id carries the slot below and a turn above, so that a
/// late answer to a slot's earlier query is not taken for the present one.
class Window {
  public:
    static constexpr unsigned kSlotBits = 10;
    static constexpr Nanos kPatience = 500'000'000;

    explicit Window(unsigned size) : slots_(size) {
        for (unsigned i = 0; i < size; ++i) {
            free_.push_back(static_cast<std::uint16_t>(size - 1 - i));
        }
    }

    [[nodiscard]] std::size_t free() const { return free_.size(); }

    /// Writes the next query; returns its size. REQUIRES: free() > 0.
    std::uint16_t put(Queries& queries, std::uint8_t* out, Nanos at, Tally& tally) {
        const std::uint16_t index = free_.back();
        free_.pop_back();
        Slot& slot = slots_[index];
        slot.query = static_cast<std::uint32_t>(queries.next());
        slot.id = static_cast<std::uint16_t>(++turn_ << kSlotBits | index);
        slot.sent = at;
        slot.busy = true;
        const Query& query = queries[slot.query];
        std::memcpy(out, query.octets, query.size);
        out[0] = static_cast<std::uint8_t>(slot.id >> 8);
        out[1] = static_cast<std::uint8_t>(slot.id);
        ++tally.sent;
        return query.size;
    }

    void take(const Queries& queries, std::span<const std::uint8_t> answer, Nanos at, bool echo,
              Tally& tally) {
        const unsigned id = answer.size() < 12 ? 0U : answer[0] * 256U + answer[1];
        const unsigned index = id & ((1U << kSlotBits) - 1);
        if (answer.size() < 12 || index >= slots_.size() || !slots_[index].busy ||
            slots_[index].id != id) {
            ++tally.wrong;
            return;
        }
        Slot& slot = slots_[index];
        const Query& query = queries[slot.query];
        const bool has_records = (answer[6] | answer[7]) != 0;
        const bool right =
            (answer[2] & 0x82) == 0x80 && answer.size() >= query.question_end &&
            std::memcmp(&answer[12], query.octets + 12, query.question_end - 12U) == 0 &&
            (echo || ((answer[3] & 15) == query.rcode && has_records == query.has_records));
        tally.wrong += right ? 0 : 1;
        ++tally.received;
        tally.count(at - slot.sent);
        slot.busy = false;
        free_.push_back(static_cast<std::uint16_t>(index));
    }

    /// Gives up on what was sent too long ago.
    void expire(Nanos at, Tally& tally) {
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            if (slots_[i].busy && at - slots_[i].sent > kPatience) {
                slots_[i].busy = false;
                free_.push_back(static_cast<std::uint16_t>(i));
                ++tally.lost;
            }
        }
    }

  private:
    struct Slot {
        Nanos sent = 0;
        std::uint32_t query = 0;
        std::uint16_t id = 0;
        bool busy = false;
    };

    std::vector<Slot> slots_;
    std::vector<std::uint16_t> free_;
    unsigned turn_ = 0;
};

}  // namespace peers
