// Which places of a database's data section the tree points to, and a dense number for each.
//
// Why not a hash table: a city file has over a million records, and each leaf of the tree asks for
// one, so a look-up must not be a walk through the heap. Here it is one bit and a count beside it,
// and records come out sorted without having been sorted.
// Deliberately knows nothing of what a record holds. Thread rule: one writer until seal(), then
// immutable.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace steerd::geo {

class RecordIndex {
  public:
    static constexpr std::uint32_t kAbsent = UINT32_MAX;

    RecordIndex() = default;

    explicit RecordIndex(std::uint64_t octets) : blocks_(octets / 64 + 1) {}

    /// REQUIRES: offset < octets.
    void add(std::uint32_t offset) noexcept {
        blocks_[offset / 64].bits |= std::uint64_t{1} << (offset % 64);
    }

    /// Numbers them in the order of their offsets; nothing is added afterwards.
    void seal() noexcept {
        for (Block& block : blocks_) {
            block.before = count_;
            count_ += static_cast<std::uint32_t>(std::popcount(block.bits));
        }
    }

    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }

    /// The number of the record at `offset`, or kAbsent.
    [[nodiscard]] std::uint32_t number_of(std::uint64_t offset) const noexcept {
        if (offset / 64 >= blocks_.size()) {
            return kAbsent;
        }
        const Block& block = blocks_[offset / 64];
        const std::uint64_t bit = std::uint64_t{1} << (offset % 64);
        if ((block.bits & bit) == 0) {
            return kAbsent;
        }
        return block.before + static_cast<std::uint32_t>(std::popcount(block.bits & (bit - 1)));
    }

    /// fn(offset) for each, ascending, until it says false; whether it never did.
    template <typename Fn>
    [[nodiscard]] bool for_each(Fn&& fn) const {
        for (std::size_t i = 0; i < blocks_.size(); ++i) {
            for (std::uint64_t bits = blocks_[i].bits; bits != 0; bits &= bits - 1) {
                if (!fn(static_cast<std::uint32_t>(
                        i * 64 + static_cast<unsigned>(std::countr_zero(bits))))) {
                    return false;
                }
            }
        }
        return true;
    }

  private:
    struct Block {
        std::uint64_t bits = 0;
        std::uint32_t before = 0;  // records in earlier blocks
    };

    std::vector<Block> blocks_;
    std::uint32_t count_ = 0;
};

}  // namespace steerd::geo
