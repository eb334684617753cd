// What a real jailed worker makes of containers: archives, mails, documents, and those that are made to harm.
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "scan/scan_pool.h"
#include "scan/test_tnef.h"

namespace redoubt::scan {
namespace {

// In two parts, so that no scanner takes this source for the test file.
std::string test_virus() {
  return std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}") + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*";
}

base::UniqueFd in_memory(std::string_view content) {
  base::UniqueFd fd(memfd_create("object", MFD_CLOEXEC));
  CHECK(base::write_all(fd.get(), content));
  return fd;
}

struct Member {
  std::string name;
  std::string content;
};

struct Packing {
  int format = ARCHIVE_FORMAT_ZIP;
  std::string options = {};
  std::string password = {};
};

la_ssize_t append_to_string(archive* /*to*/, void* text, const void* data, size_t size) {
  static_cast<std::string*>(text)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

std::string pack(const std::vector<Member>& members, const Packing& packing = {}) {
  std::string bytes;
  archive* to = archive_write_new();
  if (archive_write_set_format(to, packing.format) != ARCHIVE_OK) ADD_FAILURE() << packing.format;
  if (!packing.options.empty()) CHECK(archive_write_set_options(to, packing.options.c_str()) == ARCHIVE_OK);
  if (!packing.password.empty()) CHECK(archive_write_set_passphrase(to, packing.password.c_str()) == ARCHIVE_OK);
  CHECK(archive_write_open2(to, &bytes, nullptr, append_to_string, nullptr, nullptr) == ARCHIVE_OK);
  for (const Member& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(member.content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    CHECK(archive_write_header(to, entry) == ARCHIVE_OK);
    archive_write_data(to, member.content.data(), member.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(to);
  archive_write_free(to);
  return bytes;
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t block = 0;
    for (size_t i = 0; i < 3; ++i)
      block = block << 8 | (at + i < bytes.size() ? static_cast<uint8_t>(bytes[at + i]) : 0);
    for (size_t i = 0; i < 4; ++i) text += at + i > bytes.size() ? '=' : kDigits[block >> (18 - 6 * i) & 63];
    if (at % 57 == 54) text += "\r\n";
  }
  return text;
}

std::string mail_with(const std::string& subject, const std::string& text, const std::string& file_name,
                      const std::string& attachment) {
  return "From: a@example.org\r\nTo: b@example.org\r\nSubject: " + subject +
         "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n--cut\r\n"
         "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
         "Content-Disposition: attachment; filename=\"" +
         file_name + "\"\r\n\r\n" + base64(attachment) +
         "\r\n--cut\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text + "\r\n--cut--\r\n";
}

std::string path_of(const ScanReport& report, size_t object) {
  std::string path = report.objects[object].name;
  for (; object != 0; object = report.objects[object].parent) {
    path = report.objects[report.objects[object].parent].name + "/" + path;
  }
  return path;
}

std::string all_of(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

class UnpackTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto pool = start_scan_pool(options());
    CHECK(pool);
    pool_ = pool->release();
  }
  static void TearDownTestSuite() {
    delete pool_;
    pool_ = nullptr;
  }
  static ScanPoolOptions options() {
    ScanPoolOptions options;
    options.worker_program = REDOUBT_BUILD_DIR "/bin/redoubt-scan";
    options.yara_directory = REDOUBT_SOURCE_DIR "/rules/yara";
    options.workers = 1;
    return options;
  }
  static ScanReport scan(const std::string& content, const std::string& name,
                         const std::vector<std::string>& passwords = {}) {
    return pool_->scan(in_memory(content), {name, passwords});
  }
  static void expect_found_in(const ScanReport& report, const std::string& path) {
    EXPECT_EQ(report.verdict, Verdict::detect) << report.error << all_of(report.not_scanned);
    ASSERT_FALSE(report.detections.empty()) << path;
    ASSERT_LT(report.detections[0].object, report.objects.size());
    EXPECT_EQ(path_of(report, report.detections[0].object), path);
  }
  static ScanPool* pool_;
};
ScanPool* UnpackTest::pool_ = nullptr;

TEST_F(UnpackTest, finds_the_test_file_three_levels_down_and_names_the_way) {
  const std::string innermost = pack({{"readme.txt", "nothing here\n"}, {"eicar.com", test_virus()}});
  const std::string tar = pack({{"b/inner.zip", innermost}}, {ARCHIVE_FORMAT_TAR_USTAR});
  const ScanReport report = scan(pack({{"a.tar", tar}}), "outer.zip");
  expect_found_in(report, "outer.zip/a.tar/b/inner.zip/eicar.com");
  ASSERT_EQ(report.objects.size(), 5U);
  EXPECT_EQ(report.objects[0].mime_type, "application/zip");
  EXPECT_EQ(report.objects[0].sha256, "");
  EXPECT_EQ(report.objects[4].sha256, base::sha256_hex(test_virus()));
  EXPECT_EQ(report.objects[4].size_bytes, test_virus().size());
  EXPECT_TRUE(report.not_scanned.empty()) << all_of(report.not_scanned);
}

TEST_F(UnpackTest, opens_every_format_that_needs_no_program) {
  const std::vector<Member> members = {{"eicar.com", test_virus()}, {"other", std::string(5000, 'x')}};
  for (const int format :
       {ARCHIVE_FORMAT_ZIP, ARCHIVE_FORMAT_7ZIP, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE,
        ARCHIVE_FORMAT_CPIO_POSIX, ARCHIVE_FORMAT_CPIO_SVR4_NOCRC, ARCHIVE_FORMAT_ISO9660, ARCHIVE_FORMAT_XAR}) {
    const ScanReport report = scan(pack(members, {format}), "object");
    EXPECT_EQ(report.verdict, Verdict::detect) << format << report.error << all_of(report.not_scanned);
    EXPECT_TRUE(report.not_scanned.empty()) << format << all_of(report.not_scanned);
    ASSERT_FALSE(report.detections.empty()) << format;
    EXPECT_NE(report.detections[0].object, 0U) << format;
  }
}

TEST_F(UnpackTest, plain_objects_are_no_containers) {
  for (const std::string& text :
       {std::string("/set type=file\na size=3\nb size=4\n"), std::string("<html><p>x</p>"), std::string(100, '\0'),
        std::string("\x7f"
                    "ELF") +
            std::string(500, '\1')}) {
    const ScanReport report = scan(text, "plain");
    EXPECT_EQ(report.verdict, Verdict::not_detected) << report.error;
    EXPECT_EQ(report.objects.size(), 1U) << text;
    EXPECT_TRUE(report.not_scanned.empty()) << all_of(report.not_scanned);
  }
}

TEST_F(UnpackTest, attachment_of_a_mail_is_judged) {
  const ScanReport report = scan(mail_with("hello", "see https://example.org/a.", "eicar.com", test_virus()), "m.eml");
  expect_found_in(report, "m.eml/eicar.com");
  EXPECT_TRUE(report.not_scanned.empty()) << all_of(report.not_scanned);
  EXPECT_EQ(report.links, std::vector<std::string>{"https://example.org/a"});
}

TEST_F(UnpackTest, encrypted_zip_opens_with_the_password_that_the_mail_tells) {
  for (const char* method : {"zip:encryption=zipcrypt", "zip:encryption=aes256"}) {
    const std::string zip = pack({{"eicar.com", test_virus()}}, {ARCHIVE_FORMAT_ZIP, method, "Xq7-zebra"});
    const std::string text = "Dear all,\r\nplease find the invoice below.\r\nThe password for it is: Xq7-zebra\r\nBye";
    expect_found_in(scan(mail_with("invoice", text, "invoice.zip", zip), "m.eml"), "m.eml/invoice.zip/eicar.com");
    expect_found_in(scan(mail_with("пароль Xq7-zebra", "hello", "invoice.zip", zip), "m.eml"),
                    "m.eml/invoice.zip/eicar.com");
    expect_found_in(scan(zip, "invoice (pw Xq7-zebra).zip", {"Xq7-zebra"}), "invoice (pw Xq7-zebra).zip/eicar.com");
    expect_found_in(scan(zip, "x.zip", {"wrong", "Xq7-zebra"}), "x.zip/eicar.com");
  }
}

TEST_F(UnpackTest, encrypted_zip_that_nothing_opens_is_told) {
  const std::string zip =
      pack({{"eicar.com", test_virus()}}, {ARCHIVE_FORMAT_ZIP, "zip:encryption=aes256", "S0me-thing"});
  const ScanReport report = scan(zip, "x.zip");
  EXPECT_EQ(report.verdict, Verdict::not_detected) << report.error;
  ASSERT_EQ(report.objects.size(), 2U);
  EXPECT_EQ(report.objects[1].name, "eicar.com");
  EXPECT_EQ(report.objects[1].remark, "encrypted: no password fits");
  EXPECT_NE(all_of(report.not_scanned).find("encrypted: no password fits"), std::string::npos);
}

// "plans", encrypted: in 7-Zip its content, and names too; in RAR its content, and headers too.
constexpr std::string_view kLockedSevenZip =
    "377abcaf271c00040c77e7c130000000000000006a00000000000000409810631c5ba0240bd6f4ccbda30fe6b1de7354c6022fbd40c4"
    "cd293bf8ea0264ea5e976c6994ca8a3322200d35ea0407a680960104060001093000070b0100022406f1070112530f4eed8d0df88bb3"
    "95e37d2d17e410d38d2121010001000c211d00080a01243fd0530000050119010011150070006c0061006e0073002e00740078007400"
    "0000140a010014a34028be7ddd01150601002080a4810000";
constexpr std::string_view kLockedSevenZipNames =
    "377abcaf271c0004de6a85eca0000000000000002e00000000000000207782c071e7467415fca385658cac4009b721ae1f6c54274fa2"
    "e05465be1dbbe01b73f366ea4a25d3ccfc08835964248dc0373705faedd23833d27fec14a3a3aa991bda9e25fc612c1cfcaab739b052"
    "d6a1b91bc16d29efc7cbffb6509349238e8fb8b9e52895c505b9b23b97e53efe0e83a976e1857d16885702822b797fd856c11b0f248d"
    "ab26072411bf1fc7d46a8242ad60b10a0aa8b547e635d6d4ec71fca9216517063001097000070b0100012406f1070112530f8a4884cb"
    "319ede4745a9b0dfedd694bc0c6a0a015416b1850000";
constexpr std::string_view kLockedRar =
    "526172211a070100c51a3332030100005883497a3d02032520041da40378563412000109706c616e732e646f63240100000f73737373"
    "737373737373737373737373696969696969696969696969696969695a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
    "5a5a5a5a5a5a19b23a3503050000";
constexpr std::string_view kLockedRarHeaders =
    "526172211a0701006980531a15040000000f30313233343536373839616263646566656e63727970746564206865616465727320666f"
    "6c6c6f7720686572652c207369787465656e206279746573206120626c6f636b656e63727970746564206865616465727320666f6c6c"
    "6f7720686572652c207369787465656e206279746573206120626c6f636b";

TEST_F(UnpackTest, encrypted_archives_that_libarchive_cannot_open_are_told) {
  for (const std::string_view digits : {kLockedSevenZip, kLockedSevenZipNames, kLockedRar, kLockedRarHeaders}) {
    const auto content = base::from_hex(digits);
    ASSERT_TRUE(content);
    const ScanReport report = scan(*content, "locked (password sesame)");
    EXPECT_EQ(report.verdict, Verdict::not_detected) << report.error;
    EXPECT_NE(all_of(report.not_scanned).find("ncrypt"), std::string::npos)
        << digits.substr(0, 12) << ": " << all_of(report.not_scanned);
  }
}

TEST_F(UnpackTest, attachments_of_outlook_are_judged_with_the_password_that_the_message_tells) {
  const std::string locked = pack({{"a.com", test_virus()}}, {ARCHIVE_FORMAT_ZIP, "zip:encryption=aes256", "Sesame-1"});
  const std::string message = "Please find the plans. The password is Sesame-1";
  const ScanReport report = scan(tnef_of({{"plans.zip", locked}}, message), "winmail.dat");
  expect_found_in(report, "winmail.dat/plans.zip/a.com");
  EXPECT_EQ(report.mime_type, "application/vnd.ms-tnef");
  EXPECT_TRUE(report.not_scanned.empty()) << all_of(report.not_scanned);
}

TEST_F(UnpackTest, names_are_text_alone) {
  const std::string bad = "../../tmp/redoubt-climbed";
  const std::string tar = pack({{bad, test_virus()}, {"/etc/absolute", "x123456"}, {"\xff\xfe..\\x", "y12345"}},
                               {ARCHIVE_FORMAT_TAR_USTAR});
  const ScanReport report = scan(tar, "t.tar");
  expect_found_in(report, "t.tar/" + bad);
  EXPECT_FALSE(std::filesystem::exists("/tmp/redoubt-climbed"));
  ASSERT_EQ(report.objects.size(), 4U);
}

TEST_F(UnpackTest, nested_deeper_than_the_limit_is_told_and_ends_soon) {
  std::string object = test_virus();
  for (int level = 0; level < 40; ++level) {
    object = pack({{"level" + std::to_string(level), object}}, {ARCHIVE_FORMAT_ZIP, "zip:compression=deflate"});
  }
  const ScanReport report = scan(object, "deep.zip");
  EXPECT_NE(report.verdict, Verdict::error) << report.error;
  EXPECT_NE(report.verdict, Verdict::timeout) << report.error;
  EXPECT_EQ(report.objects.size(), 17U);
  EXPECT_EQ(report.objects.back().remark, "nested deeper than 16 levels");
  EXPECT_NE(all_of(report.not_scanned).find("nested deeper than 16 levels"), std::string::npos);
  EXPECT_LT(report.duration_us, 10'000'000);
}

TEST_F(UnpackTest, bomb_is_stopped_by_what_comes_out_of_it) {
  const std::string zeros = pack({{"zeros", std::string(size_t{200} << 20, '\0')}});
  std::vector<Member> many;
  for (int i = 0; i < 10; ++i) many.push_back({"bomb" + std::to_string(i) + ".zip", zeros + std::string(i, '\1')});
  const ScanReport report = scan(pack(many), "bomb.zip");
  EXPECT_EQ(report.verdict, Verdict::not_detected) << report.error;
  EXPECT_NE(all_of(report.not_scanned).find("times its size"), std::string::npos) << all_of(report.not_scanned);
  EXPECT_LT(report.duration_us, 25'000'000);
  expect_found_in(scan(pack({{"eicar.com", test_virus()}}), "next.zip"), "next.zip/eicar.com");
}

TEST_F(UnpackTest, many_entries_end_at_the_limit) {
  std::vector<Member> many;
  for (int i = 0; i < 12'000; ++i) many.push_back({"e" + std::to_string(i), ""});
  const ScanReport report = scan(pack(many, {ARCHIVE_FORMAT_TAR_USTAR}), "many.tar");
  EXPECT_EQ(report.verdict, Verdict::not_detected) << report.error;
  EXPECT_EQ(report.objects.size(), 2000U);
  EXPECT_NE(all_of(report.not_scanned).find("more than 10000 entries"), std::string::npos)
      << all_of(report.not_scanned);
  EXPECT_NE(all_of(report.not_scanned).find("are not listed"), std::string::npos) << all_of(report.not_scanned);
}

TEST_F(UnpackTest, sparse_member_is_never_made_real) {
  base::TempDir directory;
  const std::string path = directory / "sparse";
  const base::UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  constexpr off_t kEnd = off_t{5} << 30;
  ASSERT_EQ(ftruncate(file.get(), kEnd), 0);
  ASSERT_GT(pwrite(file.get(), test_virus().data(), test_virus().size(), kEnd - 4096), 0);
  const std::string command = "tar -C " + directory.path() + " -Scf " + (directory / "sparse.tar") + " sparse";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto tar = base::read_file(directory / "sparse.tar", size_t{1} << 20);
  ASSERT_TRUE(tar);
  const ScanReport report = scan(*tar, "s.tar");
  EXPECT_LT(report.duration_us, 5'000'000);
  ASSERT_EQ(report.objects.size(), 2U);
  EXPECT_EQ(report.objects[1].size_bytes, static_cast<uint64_t>(kEnd));
  EXPECT_NE(report.objects[1].remark.find("larger than"), std::string::npos) << report.objects[1].remark;
  expect_found_in(report, "s.tar/sparse");
}

TEST_F(UnpackTest, junk_after_magic_bytes_is_told) {
  // Of all ones no deflated block can be; of bytes that are wholly random one in some hundred has an end.
  const std::string junk = "\xff\xff" + base::random_bytes(3000);
  for (const std::string& magic :
       {std::string("PK\3\4\24\0\0\0", 8), std::string("7z\xbc\xaf\x27\x1c", 6), std::string("Rar!\x1a\7\1\0", 8),
        std::string("\x1f\x8b\x08\0\0\0\0\0", 8), std::string("%PDF-1.7\n")}) {
    const ScanReport report = scan(magic + junk, "junk");
    EXPECT_EQ(report.verdict, Verdict::not_detected) << report.error;
    EXPECT_FALSE(report.not_scanned.empty()) << magic;
  }
}

TEST_F(UnpackTest, malformed_mail_is_read_as_far_as_it_goes) {
  std::string cut = mail_with("hello", "text", "eicar.com", test_virus());
  cut.resize(cut.find("--cut\r\nContent-Type: text/plain"));
  const ScanReport truncated = scan(cut, "cut.eml");
  expect_found_in(truncated, "cut.eml/eicar.com");
  EXPECT_FALSE(truncated.not_scanned.empty());
  const std::string no_boundary =
      "From: a@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed\n\n--b\n\nhello\n--b--\n";
  const ScanReport without = scan(no_boundary, "without.eml");
  EXPECT_EQ(without.verdict, Verdict::not_detected) << without.error;
  EXPECT_NE(all_of(without.not_scanned).find("mail: "), std::string::npos) << all_of(without.not_scanned);
}

TEST_F(UnpackTest, pdf_gives_its_files_scripts_and_links) {
  std::string pdf = "%PDF-1.7\n";
  std::vector<size_t> offsets;
  const auto object = [&](const std::string& body) {
    offsets.push_back(pdf.size());
    pdf += std::to_string(offsets.size()) + " 0 obj\n" + body + "\nendobj\n";
  };
  object("<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (var a = 'script text';) >> >>");
  object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
  object(
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Annots [<< /Subtype /Link /A << /S /URI /URI "
      "(http://example.org/pdf) >> >>] >>");
  object("<< /Type /Filespec /F (eicar.com) /EF << /F 5 0 R >> >>");
  object("<< /Type /EmbeddedFile /Length " + std::to_string(2 * test_virus().size() + 1) +
         " /Filter /ASCIIHexDecode >>\nstream\n" + base::to_hex(test_virus()) + ">\nendstream");
  const size_t table = pdf.size();
  pdf += "xref\n0 6\n0000000000 65535 f \n";
  for (const size_t offset : offsets) {
    const std::string digits = std::to_string(offset);
    pdf += std::string(10 - digits.size(), '0') + digits + " 00000 n \n";
  }
  pdf += "trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n" + std::to_string(table) + "\n%%EOF\n";
  const ScanReport report = scan(pdf, "d.pdf");
  EXPECT_TRUE(report.not_scanned.empty()) << all_of(report.not_scanned);
  EXPECT_EQ(report.links, std::vector<std::string>{"http://example.org/pdf"});
  ASSERT_EQ(report.objects.size(), 3U);
  EXPECT_EQ(report.objects[1].name, "script 1.js");
  EXPECT_EQ(report.objects[2].name, "eicar.com");
  EXPECT_EQ(report.objects[2].sha256, base::sha256_hex(test_virus()));
}

// The one worker of the pool, child of this process.
pid_t worker_of_pool() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    pid_t pid = 0;
    std::string name;
    char state = 0;
    pid_t parent = 0;
    if (file >> pid >> name >> state >> parent && parent == getpid() && name == "(redoubt-scan)") return pid;
  }
  return 0;
}

long peak_kilobytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (file >> word && word != "VmHWM:") continue;
  long kilobytes = 0;
  file >> kilobytes;
  return kilobytes;
}

TEST_F(UnpackTest, worker_killed_while_it_unpacks_costs_that_object_alone) {
  const std::string large = pack({{"large", std::string(size_t{100} << 20, 'x') + base::random_bytes(1 << 20)}});
  scan("warm", "warm");
  const pid_t pid = worker_of_pool();
  ASSERT_GT(pid, 0);
  std::thread killer([&] {
    usleep(30'000);
    kill(pid, SIGKILL);
  });
  const ScanReport killed = scan(large, "large.zip");
  killer.join();
  EXPECT_EQ(killed.verdict, Verdict::error);
  EXPECT_EQ(killed.error, "worker ended by signal 9 (Killed)");
  expect_found_in(scan(pack({{"eicar.com", test_virus()}}), "next.zip"), "next.zip/eicar.com");
}

TEST_F(UnpackTest, memory_of_a_worker_stays_bounded) {
  std::string object = std::string(size_t{120} << 20, 'x') + base::random_bytes(4 << 20);
  for (int level = 0; level < 4; ++level) {
    object = pack({{"level", object}, {"eicar.com", test_virus()}}, {ARCHIVE_FORMAT_ZIP, "zip:compression=store"});
  }
  const ScanReport report = scan(object, "large.zip");
  EXPECT_EQ(report.verdict, Verdict::detect) << report.error;
  EXPECT_NE(all_of(report.not_scanned).find("do not fit"), std::string::npos) << all_of(report.not_scanned);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(peak_kilobytes(worker_of_pool()), 700L << 10);
#endif
}

TEST_F(UnpackTest, same_content_is_scanned_once) {
  const ScanReport report = scan(pack({{"a", test_virus()}, {"b", test_virus()}}), "x.zip");
  EXPECT_EQ(report.detections.size(), 1U);
  ASSERT_EQ(report.objects.size(), 3U);
  EXPECT_EQ(report.objects[2].remark, "the same content as a");
  EXPECT_EQ(report.objects[2].sha256, report.objects[1].sha256);
  EXPECT_TRUE(report.not_scanned.empty());
}

}  // namespace
}  // namespace redoubt::scan
