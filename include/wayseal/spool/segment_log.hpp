// SPDX-License-Identifier: Apache-2.0
/// \file
/// The log under the Spool: where entries lie, how they are found and written. Part of Spool, not for direct
/// use.
#ifndef WAYSEAL_SPOOL_SEGMENT_LOG_HPP
#define WAYSEAL_SPOOL_SEGMENT_LOG_HPP

#include "wayseal/core/config.hpp"
#include "wayseal/core/result.hpp"
#include "wayseal/core/types.hpp"
#include "wayseal/hal/storage.hpp"

namespace wayseal {

namespace log {
class Writer;
}

/// Kinds of entries in the log. The numbers are stored.
enum class LogKind : uint8_t { kCheckpoint = 1, kSessionOpen = 2, kRecord = 3 };

/// Header of one entry. A position is segment number times segment size, plus the offset in the segment: it
/// grows for ever and names one place of one lap. 0 is never a position, for segments count from 1.
struct LogEntry {
  LogKind kind = LogKind::kRecord;
  uint32_t size = 0;  ///< Bytes of payload.
  uint32_t sequence = 0;
  uint32_t check = 0;  ///< CRC-32C of the payload.
  SessionId session;
  uint64_t position = 0;
};

/// A ring of segments on a Storage, each filled from its front. Knows entries, but not what they mean.
class SegmentLog {
 public:
  explicit SegmentLog(Storage& storage) : storage_(storage) {}

  /// Where the next entry goes. Saved before a segment is started, restored when that fails.
  struct Place {
    uint64_t head = 0;  ///< Segment number; 0 when nothing was ever written.
    uint64_t end = 0;
  };

  /// Computes the layout and finds the last complete segment and its end. Writes nothing.
  /// `checkpoint_max` is the size of the largest checkpoint.
  /// \return kOk, with head() 0 for an empty log; kInvalidArgument, kUnsupported, kMalformed, kStorageFailed as
  ///         Spool::mount.
  Status mount(uint32_t checkpoint_max);
  Status erase_all();

  uint64_t head() const { return place_.head; }
  uint64_t end() const { return place_.end; }
  uint32_t segment_count() const { return segment_count_; }
  uint32_t segment_size() const { return segment_size_; }
  /// First position of a segment.
  uint64_t start_of(uint64_t segment) const { return segment * segment_size_; }
  uint64_t segment_of(uint64_t position) const { return position / segment_size_; }

  /// Finds the next valid entry at or behind `position` and before `limit`, and moves `position` behind it.
  /// Damaged stretches are skipped, and blocks that cannot be read.
  /// \return kOk; kNotFound: `position` is where to go on later; kStorageFailed: nothing at all can be read.
  Status step(uint64_t& position, uint64_t limit, LogEntry& out) const;
  /// True when the payload is what was written. \return kStorageFailed: as `step`.
  Result<bool> intact(const LogEntry& entry) const;
  /// Copies part of a payload. \return kOk; kMalformed: it cannot be read; kStorageFailed: as `step`.
  Status read(const LogEntry& entry, uint32_t offset, MutableBytes out) const;

  /// Bytes that an entry takes.
  uint32_t footprint(uint32_t payload) const;
  /// True when entries that take `bytes` fit into the head.
  bool has_room(uint32_t bytes) const;

  Place place() const { return place_; }
  /// Goes back to a former head, in which nothing is written any more.
  void restore(const Place& place) {
    place_ = place;
    sealed_ = true;
  }
  /// Erases the segment behind the head and writes its header: it is the head now. Durable after `sync`.
  Status start_segment();
  /// Writes an entry at the end; fills in entry.position. `fill` writes exactly entry.size bytes. When it
  /// fails, entry.position is 0, unless the entry can be found on the medium nevertheless.
  using Fill = Status (*)(void* context, log::Writer& writer);
  Status append(LogEntry& entry, Fill fill, void* context);
  Status append(LogEntry& entry, Bytes payload);
  /// Writes a copy of an entry, which gets the copy's position. Its checksum goes along, so that rot stays
  /// visible.
  Status append_copy(LogEntry& entry);
  Status sync() { return storage_.sync(); }

 private:
  Status measure(uint32_t checkpoint_max);
  Status read_segment_header(uint32_t index, uint64_t& segment) const;
  bool medium_answers() const;
  Status read_medium(uint64_t at, MutableBytes out) const;
  Result<bool> blank(uint64_t from, uint64_t to) const;
  Status find_newest(uint64_t& newest) const;
  Status find_unheaded(uint64_t& newest) const;
  Status check_blank() const;
  Result<bool> complete(uint64_t segment) const;
  Status find_end();
  Status choose_first(uint64_t& segment);
  Status erase_segment(uint64_t segment);
  void skip_failed(LogEntry& entry, uint32_t size);
  uint64_t address(uint64_t position) const { return position % ring_size_; }
  // Segments begin with a block: positions and addresses have the same borders.
  uint64_t block_behind(uint64_t at) const {
    return (at & ~uint64_t{geometry_.block_size - 1}) + geometry_.block_size;
  }

  Storage& storage_;
  StorageGeometry geometry_;
  uint32_t unit_ = 0;         // entries begin at multiples of it
  uint32_t header_area_ = 0;  // of a segment
  uint32_t segment_size_ = 0;
  uint32_t segment_count_ = 0;
  uint64_t ring_size_ = 0;
  uint64_t newest_header_ = 0;  // highest segment number seen on the medium, complete or not
  Place place_;
  bool sealed_ = false;  // the head takes nothing more
};

}  // namespace wayseal

#endif
