"""Configurations of small but real NeMo models, one for each class that matters."""

import os
import random

import sentencepiece
from omegaconf import DictConfig

from speech import CHARACTERS, RATE
from text import WORDS, nonsense, sentence

KINDS = ["ctc-bpe", "ctc-char", "rnnt-bpe", "tdt-bpe", "hybrid-bpe", "aed"]
WIDTH, HIDDEN = 48, 64


def build(kind, work):
    """An untrained model. Its tokenizer's files go into work."""
    from nemo.collections.asr import models

    common = dict(sample_rate=RATE, preprocessor=preprocessor())
    if kind == "ctc-char":
        decoder = ctc_decoder(96, num_classes=len(CHARACTERS), vocabulary=list(CHARACTERS))
        return models.EncDecCTCModel(cfg=DictConfig(dict(common, encoder=convolution(), decoder=decoder)))
    if kind == "aed":
        return models.EncDecMultiTaskModel(cfg=DictConfig(dict(common, **aed(work))))
    # The classes of word pieces look into validation_ds when they transcribe.
    validation = dict(manifest_filepath=None, shuffle=False, batch_size=1, use_start_end_token=False)
    common.update(validation_ds=validation, tokenizer=tokenizer(work))
    if kind == "ctc-bpe":
        return models.EncDecCTCModelBPE(
            cfg=DictConfig(dict(common, encoder=convolution(), decoder=ctc_decoder(96))))
    if kind == "hybrid-bpe":
        auxiliary = dict(ctc_loss_weight=0.3, use_cer=False, ctc_reduction="mean_batch",
                         decoder=ctc_decoder(WIDTH), decoding=dict(strategy="greedy_batch"))
        return models.EncDecHybridRNNTCTCBPEModel(
            cfg=DictConfig(dict(common, **transducer([]), aux_ctc=auxiliary)))
    durations = [0, 1, 2, 3, 4] if kind == "tdt-bpe" else []
    return models.EncDecRNNTBPEModel(cfg=DictConfig(dict(common, **transducer(durations))))


def preprocessor():
    # Normalized as a whole: by bands, which is NeMo's habit, a short sentence with
    # the same character again and again loses that character's tones.
    return dict(_target_="nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor", sample_rate=RATE,
                normalize="all_features", window_size=0.02, window_stride=0.01, window="hann", features=64,
                n_fft=512, dither=0.0, pad_to=0, frame_splicing=1)


def convolution(width=96):
    def block(kernel, stride=1):
        return dict(filters=width, repeat=1, kernel=[kernel], stride=[stride], dilation=[1], dropout=0.0,
                    residual=False, separable=False)
    return dict(_target_="nemo.collections.asr.modules.ConvASREncoder", feat_in=64, activation="relu",
                conv_mask=True, jasper=[block(9, 2), block(7), block(1)])


def conformer():
    return dict(_target_="nemo.collections.asr.modules.ConformerEncoder", feat_in=64, feat_out=-1, n_layers=1,
                d_model=WIDTH, subsampling="dw_striding", subsampling_factor=4, subsampling_conv_channels=32,
                ff_expansion_factor=2, self_attention_model="rel_pos", n_heads=4, conv_kernel_size=5, dropout=0.0,
                dropout_pre_encoder=0.0, dropout_emb=0.0, dropout_att=0.0)


def ctc_decoder(width, num_classes=-1, vocabulary=()):
    return dict(_target_="nemo.collections.asr.modules.ConvASRDecoder", feat_in=width, num_classes=num_classes,
                vocabulary=list(vocabulary))


def transducer(durations):
    """RNNT, or TDT where there are durations."""
    loss = dict(loss_name="default", warprnnt_numba_kwargs=dict(fastemit_lambda=0.0, clamp=-1.0))
    decoding = dict(strategy="greedy_batch", greedy=dict(max_symbols=5))
    if durations:
        decoding.update(model_type="tdt", durations=durations)
        loss = dict(loss_name="tdt", tdt_kwargs=dict(fastemit_lambda=0.0, clamp=-1.0, durations=durations,
                                                     sigma=0.02, omega=0.1))
    return dict(
        encoder=conformer(), decoding=decoding, loss=loss, compute_eval_loss=False,
        decoder=dict(_target_="nemo.collections.asr.modules.RNNTDecoder", normalization_mode=None,
                     random_state_sampling=False, blank_as_pad=True,
                     prednet=dict(pred_hidden=HIDDEN, pred_rnn_layers=1, t_max=None, dropout=0.0)),
        joint=dict(_target_="nemo.collections.asr.modules.RNNTJoint", log_softmax=None, preserve_memory=False,
                   fuse_loss_wer=False, num_extra_outputs=len(durations),
                   jointnet=dict(joint_hidden=HIDDEN, activation="relu", dropout=0.0, encoder_hidden=WIDTH,
                                 pred_hidden=HIDDEN)),
        model_defaults=dict(enc_hidden=WIDTH, pred_hidden=HIDDEN, joint_hidden=HIDDEN, tdt_durations=durations,
                            num_tdt_durations=len(durations)))


def aed(work):
    """An attention model with the prompt of Canary 2."""
    modules = "nemo.collections.asr.modules.transformer."
    slots = dict(decodercontext="", source_lang="<|en|>", target_lang="<|en|>", emotion="<|emo:undefined|>",
                 pnc="<|pnc|>", itn="<|noitn|>", diarize="<|nodiarize|>", timestamp="<|notimestamp|>")
    return dict(
        tokenizer=prompt_tokenizer(work), encoder=conformer(), prompt_format="canary2",
        prompt_defaults=[dict(role="user", slots=slots)],
        model_defaults=dict(asr_enc_hidden=WIDTH, lm_enc_hidden=HIDDEN, lm_dec_hidden=HIDDEN),
        transf_encoder=dict(_target_=modules + "transformer_encoders.TransformerEncoder", num_layers=0,
                            hidden_size=HIDDEN, inner_size=2 * HIDDEN, num_attention_heads=4, ffn_dropout=0.0,
                            attn_score_dropout=0.0, attn_layer_dropout=0.0, mask_future=False, pre_ln=True,
                            pre_ln_final_layer_norm=True),
        transf_decoder=dict(_target_=modules + "get_nemo_transformer", model_name=None, pretrained=False,
                            encoder=None, pre_ln_final_layer_norm=True,
                            config_dict=dict(max_sequence_length=256, num_token_types=0, embedding_dropout=0.0,
                                             learn_positional_encodings=False, hidden_size=HIDDEN,
                                             inner_size=2 * HIDDEN, num_layers=1, num_attention_heads=4,
                                             ffn_dropout=0.0, attn_score_dropout=0.0, attn_layer_dropout=0.0,
                                             hidden_act="relu", pre_ln=True, vocab_size=None)),
        head=dict(_target_="nemo.collections.asr.parts.submodules.token_classifier.TokenClassifier", num_layers=1,
                  activation="relu", log_softmax=True, hidden_size=HIDDEN, num_classes=None, dropout=0.0,
                  use_transformer_init=True),
        decoding=dict(strategy="beam", return_best_hypothesis=True,
                      beam=dict(beam_size=1, len_pen=0.0, max_generation_delta=20)),
        loss=dict(_target_="nemo.collections.common.losses.smoothed_cross_entropy.SmoothedCrossEntropyLoss",
                  label_smoothing=0.0, pad_id=None))


def tokenizer(folder):
    """A tokenizer of single characters."""
    rng = random.Random(7)
    lines = [nonsense(rng) for _ in range(300)] + [sentence(rng) for _ in range(300)] + WORDS
    return sentence_pieces(folder, lines, model_type="char", vocab_size=len(CHARACTERS) + 1)


SPECIAL = ("<|endoftext|> <|startoftranscript|> <|pnc|> <|nopnc|> <|startofcontext|> <|itn|> <|noitn|> <|timestamp|> "
           "<|notimestamp|> <|diarize|> <|nodiarize|> <|spkchange|> <|audioseparator|> <|emo:undefined|> "
           "<|emo:neutral|> <|emo:happy|> <|emo:sad|> <|emo:angry|> <|en|> <|de|> <|unklang|> <|nospeech|> <pad> "
           "<|spltoken0|> <|spltoken1|> <|spltoken2|> <|spltoken3|>").split()


def prompt_tokenizer(work):
    """Canary's: one tokenizer for the prompt's special tokens, one for English."""
    special = sentence_pieces(os.path.join(work, "special"), SPECIAL, model_type="bpe",
                              vocab_size=len(SPECIAL) + 90, user_defined_symbols=SPECIAL)
    canary = {"_target_": "nemo.collections.common.tokenizers.canary_tokenizer.CanaryTokenizer", "tokenizers": None}
    return dict(dir=None, type="agg", custom_tokenizer=canary,
                langs=dict(spl_tokens=special, en=tokenizer(os.path.join(work, "en"))))


def sentence_pieces(folder, lines, **options):
    os.makedirs(folder, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=os.path.join(folder, "tokenizer"), bos_id=-1, eos_id=-1,
        pad_id=-1, unk_id=0, character_coverage=1.0, hard_vocab_limit=False, minloglevel=2, num_threads=1, **options)
    pieces = sentencepiece.SentencePieceProcessor(model_file=os.path.join(folder, "tokenizer.model"))
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as out:
        out.writelines(pieces.id_to_piece(i) + "\n" for i in range(pieces.get_piece_size()))
    return dict(dir=folder, type="bpe")
