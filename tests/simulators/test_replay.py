"""Recordings are replayed as they are; what is wrong in them is counted, what cannot be told is left out."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kafka import KafkaConsumer, TopicPartition
from typer.testing import CliRunner

from monitor.settings import Settings
from simulators import replay as command
from simulators.errors import RecordingsMissing
from simulators.replay import DATA, Replayed, Source, read, replay
from stream_schemas import topics

Sent = list[tuple[str, bytes, bytes, int]]


def table(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / name, "wt", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Both sources in small: the layout of the real ones, nobody's values."""
    w = tmp_path / "welltory_covid19"
    table(
        w,
        "heart_rate_first_release_2020-04-17.csv.gz",
        "user_code,datetime,heart_rate,is_resting\n"
        "aa,2020-01-01 02:24:37,70,0\naa,2020-01-01  02:24:37,71,0\naa,2020-01-01 02:24:49,72,0\n"
        "aa,2020-01-01 09:00:00,305,0\nbb,never,70,0\n",
    )
    table(
        w,
        "hrv_measurements.csv.gz",
        'user_code,measurement_datetime,bpm,rr_data\naa,2020-01-02 08:00:00,60,"1000,990,1010"\n'
        "aa,2020-01-02 09:00:00,60,\n",
    )
    table(
        w,
        "blood_pressure.csv.gz",
        "user_code,measurement_datetime,diastolic,systolic\naa,2020-01-01 10:00:00,80,120\n"
        "aa,2020-01-01 11:00:00,130,120\n",
    )
    table(
        w,
        "sleep.csv.gz",
        "user_code,day,sleep_begin,sleep_end,sleep_duration,sleep_awake_duration,sleep_rem_duration,"
        "sleep_light_duration,sleep_deep_duration\naa,2020-01-02,2020-01-01 23:00:00,2020-01-02 07:00:00,25200,,,,\n",
    )
    table(w, "weather.csv.gz", "user_code,day,avg_temperature_C,humidity\naa,2020-01-01,-1.2,92\n")
    table(w, "wearables.csv.gz", "user_code,day,steps_count\naa,2020-01-01,9000\naa,2020-01-02,\n")
    table(
        w,
        "participants.csv.gz",
        "user_code,gender,age_range,height,weight\naa,f,45-54,164,58.5\nbb,m,18-24,180,80\n",
    )
    f = tmp_path / "fitabase_2016"
    table(
        f,
        "sleepDay_merged.csv.gz",
        "Id,SleepDay,TotalSleepRecords,TotalMinutesAsleep,TotalTimeInBed\n7,4/12/2016 12:00:00 AM,1,327,346\n",
    )
    at = [1_460_419_200_000 + 1000 * s for s in (0, 5, 15, 61, 3600)]
    times = pa.array(at, pa.timestamp("ms"))
    pq.write_table(
        pa.table({"id": [7] * 5, "time": times, "hr": pa.array([60, 61, 62, 63, 64], pa.uint8())}),
        f / "heartrate_5s.parquet",
    )
    minutes = pa.array([at[0] + 60_000 * m for m in (0, 1, 2, 30)], pa.timestamp("ms"))
    steps = pa.array([0, 10, 500, 20], pa.int16())
    pq.write_table(pa.table({"id": [7] * 4, "time": minutes, "steps": steps}), f / "minute_steps_intensity.parquet")
    return tmp_path


def played(source: Source, data: Path, **options: object) -> tuple[Replayed, Sent]:
    sent: Sent = []
    recording = read(source, data, **options)  # type: ignore[arg-type]
    done = replay(recording, lambda *record: sent.append(record), shift_to_ms=None, speed=0, plain=True)
    assert sum(done.events_published.values()) == len(sent)
    return done, sent


def test_welltory_is_told_as_recorded_and_what_is_wrong_is_counted(data: Path) -> None:
    done, sent = played(Source.WELLTORY, data)
    assert done.events_published == {
        topics.HEART_RATE: 3,
        topics.BLOOD_PRESSURE: 2,
        topics.SLEEP: 1,
        topics.WEATHER: 1,
        topics.WEARER: 1,
    }
    assert done.refused_by_schema == {"invalid_field": 2}  # 305 bpm, and diastolic above systolic
    assert done.left_out == {
        "heart rates without time or value": 1,
        "second heart rates of one second": 1,
        "spot measurements without time, rate or intervals": 1,
        "steps of whole days": 1,
    }
    assert sent[0][0] == topics.WEARER
    assert [at for *_, at in sent] == sorted(at for *_, at in sent)
    first = json.loads(sent[1][2])
    assert first["start"] == "2020-01-01T02:24:00Z"
    assert first["offset_ms"] == [37_000, 49_000]
    pressures = [json.loads(value) for topic, _, value, _ in sent if topic == topics.BLOOD_PRESSURE]
    assert {event["measurement_method"] for event in pressures} == {"unknown"}


def test_fitabase_keeps_gaps_and_tells_no_night_without_being_told_when(data: Path) -> None:
    done, sent = played(Source.FITABASE, data)
    assert done.events_published == {topics.HEART_RATE: 3, topics.ACTIVITY: 2}
    assert done.refused_by_schema == {"invalid_field": 1}  # 500 steps in a minute
    assert done.left_out == {"nights without times": 1}
    runs = [json.loads(value)["steps"] for topic, _, value, _ in sent if topic == topics.ACTIVITY]
    assert runs == [[0, 10, 500], [20]]
    done, _ = played(Source.FITABASE, data, assume_wake_min=420)
    assert done.events_published[topics.SLEEP] == 1


def test_local_times_are_read_in_the_assumed_zone(data: Path) -> None:
    _, sent = played(Source.WELLTORY, data, zone="Europe/Kyiv")
    assert json.loads(sent[1][2])["start"] == "2020-01-01T00:24:00Z"


def test_what_is_replayed_is_in_kafka_and_in_the_report(data: Path, replay_settings: Settings) -> None:
    kafka, report = replay_settings.kafka, data / "report.json"
    options = ["--bootstrap-servers", kafka.bootstrap_servers, "--topic-prefix", kafka.topic_prefix]
    result = CliRunner().invoke(
        command.app, ["welltory", "--data", str(data), "--report", str(report), "--plain", *options]
    )
    assert result.exit_code == 0, result.output
    published = json.loads(report.read_text())["events_published"]
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers)
    for name, count in published.items():
        partitions = range(replay_settings.stream.partitions)
        ends = consumer.end_offsets([TopicPartition(kafka.topic_prefix + name, p) for p in partitions])
        assert sum(ends.values()) == count
    consumer.close()


def test_a_shift_moves_whole_days(data: Path) -> None:
    sent: Sent = []
    recording = read(Source.WELLTORY, data)
    replay(recording, lambda *r: sent.append(r), shift_to_ms=1_767_600_000_000, speed=0, plain=True)
    assert json.loads(sent[1][2])["start"] == "2026-01-05T02:24:00Z"


def test_absent_recordings_are_said_to_be_absent(tmp_path: Path) -> None:
    with pytest.raises(RecordingsMissing, match="--data"):
        read(Source.FITABASE, tmp_path)
    result = CliRunner().invoke(command.app, ["welltory", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "--data" in result.output


def test_the_real_recordings_of_one_person_are_told_whole() -> None:
    if not DATA.is_dir():
        pytest.skip(f"no real recordings in {DATA}")
    recording = read(Source.WELLTORY, wearers={"6be5033971"})
    sent: Sent = []
    done = replay(recording, lambda *record: sent.append(record), shift_to_ms=None, speed=0, plain=True)
    samples = sum(len(json.loads(value)["bpm"]) for topic, _, value, _ in sent if topic == topics.HEART_RATE)
    assert done.wearers == 1
    assert done.events_published[topics.BLOOD_PRESSURE] == 105
    assert done.events_published[topics.SLEEP] == 108
    assert samples + done.left_out["second heart rates of one second"] == 61_203 + 129
    assert done.left_out["steps of whole days"] == 131
