"""What the conversion process does, with TensorFlow, TFMOT and tf_keras; it knows no estimator."""
